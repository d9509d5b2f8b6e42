// A studio in a process of its own, for tests that kill it. Arguments: folder, port. Prints its address.
import { fileURLToPath } from 'node:url';
import { startStudio } from '../../src/server/start-studio.ts';

const [dir, app] = process.argv.slice(2);
const commandFile = fileURLToPath(new URL('./stand-in-command.ts', import.meta.url));
const { url } = await startStudio({ dir, port: 0 }, app, { commandFile });
process.stdout.write(`${url}\n`);
