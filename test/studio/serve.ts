// A studio in a process of its own, for tests that kill it. Arguments: folder, built app, port, and optionally what
// stands in for the command line. Prints its address; SIGTERM ends it.
import { startStudio } from '../../src/server/start-studio.ts';

const [dir, app, port, commandFile] = process.argv.slice(2);
const { url, close } = await startStudio({ dir, port: Number(port) }, app, { commandFile });
process.once('SIGTERM', () => void close());
process.stdout.write(`${url}\n`);
