import { join } from 'node:path';
import { z } from 'zod';
import { progressState } from './progress.ts';

// A command that is run beside the server of an embedded database is sent to that server, over a unix socket in the folder of
// the database, which only its owner can enter. Both sides write lines of JSON. The client writes one request. The server
// answers with what the command prints, as it prints, and how far it is, and ends with the exit status. Either side reads no faster
// than it can write, so nothing gathers in memory.

/** The path of the control socket, or of a symbolic link to it if a socket there would have too long a path. */
export const controlPath = (folder: string): string => join(folder, controlName);
export const controlName = 'control.sock';

/** The most characters of a line. */
const longestLine = 1_000_000;

export const controlRequest = z.strictObject({
  /** The words after `funes`. The server parses them anew, so it trusts no options. */
  arguments: z.array(z.string()).max(1000),
  /** The working folder of the client. The server reads the files that the words name: both have the same owner. */
  workingFolder: z.string(),
  /** A file with what came on the client's standard input, if the command reads that. */
  inputFile: z.string().optional(),
});
export type ControlRequest = z.output<typeof controlRequest>;

export const controlAnswer = z.union([
  z.strictObject({ print: z.string() }),
  z.strictObject({ data: z.string() }),
  z.strictObject({ note: z.string() }),
  z.strictObject({ progress: progressState }),
  z.strictObject({ status: z.number(), message: z.string().optional() }),
]);
export type ControlAnswer = z.output<typeof controlAnswer>;

/** Reads lines of JSON. Throws if one is too long or is no JSON. */
export async function* readLines(source: AsyncIterable<string>): AsyncGenerator<unknown> {
  let text = '';
  for await (const part of source) {
    const lines = (text + part).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
    if (text.length > longestLine) throw new Error('A line is too long.');
  }
}
