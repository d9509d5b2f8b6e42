// Which channel plays which part: nuclei, vessels, probe.
import { DataError, UsageError } from '../core/errors.ts';
import type { ChannelInfo, PixelSource } from '../core/pixel-source.ts';

/**
 * Words of channel names, as whole words: stains, markers and what labs call them. SpGreen, SpOrange and QD are the
 * names of the published quantum-dot slides (Fluo0 to Fluo5).
 */
const words: Readonly<Record<string, RegExp>> = {
  nuclei: /^(dapi|hoechst\d*|nucle(us|i|ar)|draq5|sytox|sytogreen|topro3?|7aad|nucblue)$/,
  vessel:
    /^(vessels?|vascular|vasculature|blood|endotheli(um|al)|endomucin|emcn|cd31|pecam1?|cd34|cd105|endoglin|lectin|tomatolectin|vwf|cdh5|vecadherin|meca32|plvap|spgreen)$/,
  probe:
    /^(probes?|qds?\d*|qdots?\d*|quantumdots?|quantum|dots?|dextran|nanoprobes?|nanoparticles?|nps?|aunps?|lnps?|liposomes?|micelles?|doxil|dox|doxorubicin|nanocarriers?|drug|sporange)$/,
};

/** Words that turn a name into something derived: 'probe lower 0.90' is a bound, not a measurement. */
const derived = /^(lower|upper|mask|labels?|predicted|prediction|error|distance|autofluorescence|af)$/;

/**
 * The role that a channel's name tells; text in parentheses decides where both speak: 'dextran (vessel)'.
 * @returns undefined when the name tells none, or several
 */
export function guessRole(channelName: string): string | undefined {
  if (tokens(channelName).some((token) => derived.test(token))) return undefined;
  const inside = /\(([^)]*)\)/.exec(channelName)?.[1];
  const stated = inside === undefined ? [] : rolesIn(inside);
  const found = stated.length > 0 ? stated : rolesIn(channelName);
  return found.length === 1 ? found[0] : undefined;
}

function rolesIn(text: string): string[] {
  const parts = tokens(text);
  return Object.entries(words)
    .filter(([, pattern]) => parts.some((token) => pattern.test(token)))
    .map(([role]) => role);
}

/** Lower-case words; joined by hyphens or not ('VE-cadherin', 'Q-dot', 'TO-PRO-3'), both readings are kept. */
function tokens(text: string): string[] {
  const lower = text.toLowerCase().normalize('NFKD');
  const split = lower.split(/[^\p{L}\p{N}]+/u);
  const joined = lower.split(/[^\p{L}\p{N}-]+/u).map((token) => token.replaceAll('-', ''));
  return [...new Set([...split, ...joined])].filter((token) => token !== '');
}

/**
 * Finds the channel of every wanted role: as given; else the channel called like the role, or with the role in
 * parentheses; else the one whose name tells it.
 * @param explicit role to channel name, as given by --role
 * @returns role to channel index
 * @throws UsageError for a given channel or role that is not there; DataError when a role's channel is missing or not
 * clear. Both name the channels there are.
 */
export function assignRoles(
  source: Pick<PixelSource, 'path' | 'channels'>,
  wanted: readonly string[],
  explicit: Readonly<Record<string, string>>,
): Record<string, number> {
  const { channels, path } = source;
  const unknown = Object.keys(explicit).find((role) => !wanted.includes(role));
  if (unknown !== undefined) {
    throw new UsageError(`--role ${unknown}=... is not used here. The roles are: ${wanted.join(', ')}.`);
  }
  const roles: Record<string, number> = {};
  for (const [role, name] of Object.entries(explicit)) roles[role] = findChannel(source, role, name);
  const taken = new Set(Object.values(roles));
  for (const role of wanted) {
    if (role in roles) continue;
    const index = findRole(source, role, taken);
    if (index === undefined) throw unclear(source, role, `no channel of ${path} is known to be the ${role}`);
    roles[role] = index;
  }
  const twice = wanted.find((role, i) => wanted.slice(0, i).some((other) => roles[other] === roles[role]));
  if (twice !== undefined) {
    throw new UsageError(
      `the channel '${channels[roles[twice]].name}' of ${path} is given two roles. Give each role its own channel.`,
    );
  }
  return roles;
}

/**
 * The channel of one role that a slide may lack, by what the file and its names tell.
 * @param taken channels that were given to other roles
 * @returns channel index; undefined where no channel is known to have the role
 * @throws DataError where several could have it: which one is meant is for the user to say, never to be left out
 */
export function findRole(
  source: Pick<PixelSource, 'path' | 'channels'>,
  role: string,
  taken: ReadonlySet<number>,
): number | undefined {
  const { channels, path } = source;
  const candidates = candidatesFor(channels, role).filter((index) => !taken.has(index));
  if (candidates.length <= 1) return candidates[0];
  const several = candidates.map((index) => `'${channels[index].name}'`).join(' and ');
  throw unclear(source, role, `${several} of ${path} could each be the ${role}`);
}

function unclear({ channels }: Pick<PixelSource, 'channels'>, role: string, reason: string): DataError {
  const all = channels.map(({ name }) => `'${name}'`).join(', ');
  return new DataError(`${reason}. Its channels are ${all}; say which with --role '${role}=CHANNEL NAME'.`);
}

/**
 * The role of every channel as it is given, recorded in the file or told by its name; undefined for none.
 * @throws UsageError for a given channel that is not there
 */
export function rolesOf(
  source: Pick<PixelSource, 'path' | 'channels'>,
  explicit: Readonly<Record<string, string>>,
): (string | undefined)[] {
  const given = new Map(
    Object.entries(explicit).map(([role, name]) => [findChannel(source, role, name), role] as const),
  );
  return source.channels.map((channel, index) => {
    if (given.has(index)) return given.get(index);
    const role = channel.role ?? guessRole(channel.name);
    return role !== undefined && role in explicit ? undefined : role;
  });
}

/** The best kind of evidence that there is; within it, every channel that has it. */
function candidatesFor(channels: readonly ChannelInfo[], role: string): number[] {
  const wanted = role.toLowerCase();
  const tests: ((channel: ChannelInfo) => boolean)[] = [
    (channel) => channel.role === role,
    ({ name }) => name.trim().toLowerCase() === wanted,
    ({ name }) => /\(([^)]*)\)/.exec(name)?.[1].trim().toLowerCase() === wanted,
    ({ name }) => guessRole(name) === role,
    ({ name }) => !(wanted in words) && guessRole(name) === undefined && tokens(name).includes(wanted),
  ];
  for (const test of tests) {
    const found = channels.flatMap((channel, index) => (test(channel) ? [index] : []));
    if (found.length > 0) return found;
  }
  return [];
}

function findChannel(
  { channels, path }: Pick<PixelSource, 'path' | 'channels'>,
  role: string,
  name: string,
): number {
  const exact = channels.findIndex((channel) => channel.name === name);
  if (exact >= 0) return exact;
  const alike = channels.flatMap((channel, i) =>
    channel.name.toLowerCase() === name.toLowerCase() ? [i] : [],
  );
  if (alike.length === 1) return alike[0];
  const all = channels.map((channel) => `'${channel.name}'`).join(', ');
  throw new UsageError(`--role ${role}=${name}: ${path} has no channel '${name}'. Its channels are ${all}.`);
}
