// Who may talk to the server: pages of its own address only, and with the token where it listens beyond this machine.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

export interface GuardOptions {
  /** Address that the server listens on. */
  readonly host: string;
  /** Known only once it listens. */
  readonly port: () => number;
  /** Undefined where none is needed. */
  readonly token: string | undefined;
}

/** Cookies know no ports: each studio of a machine has a name of its own. */
const tokenCookie = (port: number): string => `hrpn-studio-token-${port}`;

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '127.0.0.1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Where a browser finds a server that listens on `host`: all addresses at once are none that it could go to. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** For a URL: IPv6 addresses in brackets. */
export function urlHost(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/**
 * Refuses a foreign Host header (a page whose name was pointed at this machine), a foreign Origin, requests that
 * the browser says come from another site, and, where a token is set, requests without it.
 */
export function guard(options: GuardOptions): MiddlewareHandler {
  const names = hostNames(options.host);
  return async (context, next) => {
    const hosts = names.map((name) => withoutWebPort(`${urlHost(name)}:${options.port()}`));
    const header = context.req.header('host');
    const host = header === undefined ? undefined : withoutWebPort(header.toLowerCase());
    if (host === undefined || !hosts.includes(host)) {
      return context.json({ error: 'this host name is not the studio’s. Open the address it printed.' }, 403);
    }
    const origin = context.req.header('origin');
    if (origin !== undefined && withoutWebPort(origin.toLowerCase()) !== `http://${host}`) {
      return context.json({ error: 'requests from other sites are refused.' }, 403);
    }
    const site = context.req.header('sec-fetch-site');
    const isNavigation = context.req.method === 'GET' && context.req.header('sec-fetch-mode') === 'navigate';
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation) {
      return context.json({ error: 'requests from other sites are refused.' }, 403);
    }
    if (options.token !== undefined) {
      const given = context.req.query('token');
      const shown =
        given ??
        getCookie(context, tokenCookie(options.port())) ??
        /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '')?.[1];
      if (shown === undefined || !isSame(shown, options.token)) {
        return context.json(
          { error: 'the token is missing or wrong. Open the address the studio printed.' },
          401,
        );
      }
      // Over plain HTTP from another machine a browser does not say that it navigates.
      if (given !== undefined && context.req.method === 'GET' && (isNavigation || context.req.path === '/')) {
        const name = tokenCookie(options.port());
        setCookie(context, name, given, { httpOnly: true, sameSite: 'Strict', path: '/' });
        // Out of the address bar, the history and any Referer.
        return context.redirect('/');
      }
    }
    await next();
    // Afterwards, for headers set before are not those of an answer that a handler made by itself.
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
    context.header('Cross-Origin-Resource-Policy', 'same-origin');
  };
}

/** Browsers leave out the port that http has anyway. */
function withoutWebPort(host: string): string {
  return host.replace(/:80$/, '');
}

function hostNames(host: string): string[] {
  const own = ['127.0.0.1', 'localhost', '::1'];
  if (isLoopback(host)) return [...own, host];
  if (host !== '0.0.0.0' && host !== '::') return [host.toLowerCase()];
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  return [...own, hostname().toLowerCase(), ...addresses];
}

/** In the same time whatever differs; hashes make the lengths equal. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
