// What the address says after '#': which page, and of what.

export interface Route {
  /** e.g. 'runs' */
  readonly page: string;
  /** e.g. '12' in #/runs/12 */
  readonly rest: string;
  readonly query: URLSearchParams;
}

export function readAddress(): Route {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  return { page, rest: rest.join('/'), query: new URLSearchParams(query) };
}
