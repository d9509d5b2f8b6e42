// Which channel of a slide plays which part: as chosen in the viewer or a form, else as the server reads it from the file.
import type { SlideView } from '../../../src/contract/studio.ts';

/** Role to channel name. */
export type Roles = Readonly<Record<string, string>>;

/** Those that the viewer and its forms ask for. */
export const knownRoles = ['vessel', 'nuclei', 'probe'] as const;

/** From the address: 'ROLE=CHANNEL NAME' each, as on the command line. */
export function parseRoles(texts: readonly string[]): Roles {
  return parsePairs(texts, false);
}

/** @param isByPath keys are paths, which may hold a '=' */
export function parsePairs(texts: readonly string[], isByPath: boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.flatMap((text) => {
      const at = isByPath ? text.lastIndexOf('=') : text.indexOf('=');
      return at > 0 ? [[text.slice(0, at), text.slice(at + 1)]] : [];
    }),
  );
}

export function formatRoles(roles: Roles): string[] {
  return Object.entries(roles).map(([role, name]) => `${role}=${name}`);
}

/** With the channel in that role and in no other; an empty role takes away the one that was chosen. */
export function chooseRole(roles: Roles, role: string, channel: string): Roles {
  const others = Object.fromEntries(
    Object.entries(roles).filter(([key, name]) => key !== role && name !== channel),
  );
  return role === '' ? others : { ...others, [role]: channel };
}

/** The role of every channel; a chosen one takes it from the channel that had it by its name. */
export function rolesOf({ channels }: Pick<SlideView, 'channels'>, roles: Roles): (string | undefined)[] {
  return channels.map(({ name, role }) => {
    const chosen = Object.entries(roles).find(([, channel]) => channel === name)?.[0];
    return chosen ?? (role !== undefined && role in roles ? undefined : role);
  });
}
