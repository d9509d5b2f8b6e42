// An OME-Zarr on the server as zarrita reads it. What is not there is asked for so that it is no error.

interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  getRange(key: string, range: Range): Promise<Uint8Array | undefined>;
}

type Range = { readonly offset: number; readonly length: number } | { readonly suffixLength: number };

/** @param url of the .zarr folder; of several pictures in it the first is taken */
export async function zarrStore(url: string): Promise<Store> {
  const root = await attributes(url);
  const prefix = 'bioformats2raw.layout' in root ? `${url}/0` : url;
  return {
    get: (key) => read(`${prefix}${key}`),
    getRange: (key, range) => {
      const bytes =
        'suffixLength' in range
          ? `-${range.suffixLength}`
          : `${range.offset}-${range.offset + range.length - 1}`;
      return read(`${prefix}${key}`, { Range: `bytes=${bytes}` });
    },
  };
}

async function read(url: string, headers: Record<string, string> = {}): Promise<Uint8Array | undefined> {
  const answer = await fetch(`${url}?optional`, { headers });
  if (answer.status === 204) return undefined;
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Of the root group, whichever version it is. */
async function attributes(url: string): Promise<object> {
  for (const name of ['zarr.json', '.zattrs']) {
    const bytes = await read(`${url}/${name}`);
    if (bytes === undefined) continue;
    const { attributes: inner, ...own } = JSON.parse(new TextDecoder().decode(bytes));
    return { ...own, ...inner, ...inner?.ome };
  }
  return {};
}
