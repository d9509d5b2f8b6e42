// Options of `analyze` that would be passed over, refused before anything is measured.
import type { AnalyzeSettings } from '../contract/analyze.ts';
import { flagOf } from '../contract/command.ts';
import { UsageError } from '../core/errors.ts';
import type { PixelSource } from '../core/pixel-source.ts';

/** Options that say the same thing, of which one would be passed over. */
const alternatives: readonly (readonly [keyof AnalyzeSettings, keyof AnalyzeSettings, string])[] = [
  ['background', 'backgroundSlide', 'what the background is'],
  ['background', 'backgroundPercentile', 'what the background is'],
  ['backgroundSlide', 'backgroundPercentile', 'what the background is'],
  ['vesselMask', 'vesselThreshold', 'where the vessels are'],
  ['nucleiMask', 'nucleiThreshold', 'where the nuclei are'],
];

/** @throws UsageError */
export function refuseBoth(options: AnalyzeSettings): void {
  for (const [one, other, what] of alternatives) {
    if (options[one] === undefined || options[other] === undefined) continue;
    throw new UsageError(`${flagOf(one)} and ${flagOf(other)} both say ${what}: give one of the two.`);
  }
}

/** A threshold of a channel that is not there would be passed over. @throws UsageError */
export function refuseThresholds(
  options: AnalyzeSettings,
  roles: Readonly<Record<string, number>>,
  { path, channels }: PixelSource,
): void {
  for (const [key, role] of [
    ['nucleiThreshold', 'nuclei'],
    ['probeThreshold', 'probe'],
  ] as const) {
    if (options[key] === undefined || role in roles) continue;
    const names = channels.map(({ name }) => `'${name}'`).join(', ');
    throw new UsageError(
      `${flagOf(key)} needs a channel with the role ${role}, but ${path} has only ${names}. Name it with --role ${role}=CHANNEL, or leave the threshold out.`,
    );
  }
}

const usedRoles = ['vessel', 'nuclei', 'probe'];

/** A role that is mistyped would be passed over. @throws UsageError */
export function refuseRoles({ roles }: AnalyzeSettings): void {
  const unused = Object.keys(roles).find((role) => !usedRoles.includes(role));
  if (unused === undefined) return;
  throw new UsageError(
    `--role ${unused}=... is not used here: the roles of analyze are ${usedRoles.join(', ')}. Correct it, or leave it out.`,
  );
}
