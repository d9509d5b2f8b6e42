// The command `studio`: starts the server, says where it is, and stays until it is stopped.
import type { StudioOptions } from '../contract/studio.ts';
import type { WorkOptions } from '../core/progress.ts';
import { startStudio } from '../server/start-studio.ts';
import { studioApp } from './studio-app.ts';

/** Resolves when the signal fires, after what runs has been stopped so that it can be resumed. */
export async function studio(
  options: StudioOptions,
  work: WorkOptions = {},
): Promise<{ folder: string; url: string }> {
  const say = (text: string): unknown => process.stderr.write(`${text}\n`);
  const app = await studioApp(say, work);
  const { url, folder, close } = await startStudio(options, app);
  say(`Studio of ${folder}:\n\n  ${url}\n\nOpen this address in a browser. Ctrl-C stops the studio.`);
  const { signal } = work;
  await new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  await close();
  return { folder, url };
}
