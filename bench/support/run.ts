import { FunesError } from '../../src/errors.ts';

/** Runs a benchmark. Prints an error that was written for people as its message, and any other error with its stack. */
export async function run(benchmark: () => Promise<void>): Promise<void> {
  try {
    await benchmark();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const written = error instanceof FunesError || code?.startsWith('ERR_PARSE_ARGS');
    console.error(written ? message : error);
    process.exitCode = 1;
  }
}
