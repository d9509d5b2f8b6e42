// Starts the studio's server and stops it again.
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { parseOptions } from '../contract/command.ts';
import { type StudioOptions, studioCommand } from '../contract/studio.ts';
import { UsageError } from '../core/errors.ts';
import { createApp } from './app.ts';
import { EventHub } from './events.ts';
import { isLoopback, newToken, reachableHost, urlHost } from './guard.ts';
import { OpenedFolder, studioFolderName } from './opened-folder.ts';
import { PixelService } from './pixel-service.ts';
import { RunQueue } from './run-queue.ts';
import { RunStore } from './run-store.ts';

export interface Studio {
  /** To be opened in a browser; holds the token where one is needed. */
  readonly url: string;
  readonly folder: string;
  readonly port: number;
  /** Stops what runs, so that it can be resumed, and the server. */
  close(): Promise<void>;
}

/**
 * @param appFolder folder with the built browser app
 * @param tests a stand-in for the command line
 * @throws UsageError when the port is taken or another studio has the folder; FileAccessError when there is none
 */
export async function startStudio(
  given: StudioOptions,
  appFolder: string,
  tests: { readonly commandFile?: string } = {},
): Promise<Studio> {
  const options = parseOptions(studioCommand, given);
  const folder = await OpenedFolder.open(options.dir);
  const app = await OpenedFolder.open(appFolder);
  const store = await RunStore.open(join(folder.root, studioFolderName));
  const events = new EventHub();
  const pixels = new PixelService();
  const token = isLoopback(options.host) ? undefined : newToken();
  let port = options.port;
  let server: ServerType | undefined;
  const queue = new RunQueue({
    folder,
    store,
    parallel: options.parallel,
    onEvent: (event) => events.send(event),
    commandFile: tests.commandFile,
  });
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    await queue.close();
    pixels.close();
    store.close();
    await stopServer(server);
  };
  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };
  try {
    const { fetch } = createApp({
      folder,
      queue,
      events,
      pixels,
      guard: { host: options.host, port: () => port, token },
      maxUploadBytes: options.maxUploadGb * 1e9,
      appFolder: app,
    });
    ({ server, port } = await listen(fetch, options.host, options.port));
    pixels.start();
  } catch (error) {
    await close();
    throw error;
  }
  const address = `http://${urlHost(reachableHost(options.host))}:${port}/`;
  return {
    url: token === undefined ? address : `${address}?token=${token}`,
    folder: folder.root,
    port,
    close,
  };
}

function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  host: string,
  port: number,
): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (info) => resolve({ server, port: info.port }));
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken. Give another with --port, or --port 0 for any free one.`
          : `cannot listen on ${host}:${port} (${error.code}). Give another --host or --port.`;
      reject(new UsageError(reason, { cause: error }));
    });
  });
}

function stopServer(server: ServerType | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) return resolve();
    server.close(() => resolve());
    // Event streams never end by themselves.
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}
