// Names for channels where the file gives none, or gives one twice.

/** Unique names in order: the given ones, 'channel 0', 'channel 1', ... for missing, ' (2)' added to repeated ones. */
export function channelNames(given: readonly (string | undefined)[]): string[] {
  const used = new Set<string>();
  return given.map((name, i) => {
    const wanted = name?.trim() || `channel ${i}`;
    let unique = wanted;
    for (let n = 2; used.has(unique); n++) unique = `${wanted} (${n})`;
    used.add(unique);
    return unique;
  });
}

/** Names of the samples of a pixel: grey levels have none, colours have theirs. */
export function sampleNames(samples: number, base?: string): (string | undefined)[] {
  if (samples === 1) return [base];
  const colours = samples === 2 ? ['grey', 'alpha'] : ['red', 'green', 'blue', 'alpha'];
  const prefix = base === undefined ? '' : `${base} `;
  return Array.from({ length: samples }, (_, s) =>
    samples <= 4 ? `${prefix}${colours[s]}` : base === undefined ? undefined : `${prefix}${s}`,
  );
}
