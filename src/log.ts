import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: LogLevel;
  /** Where lines go. Default: standard output, as text for people on a terminal, otherwise as JSON. */
  stream?: DestinationStream;
}

/**
 * Makes the log of the server. The log shows the kind, codes and stack of an error, but never its message: messages of Drizzle
 * and PostgreSQL contain SQL, parameters and stored text. If you need messages, log `errorDetail` at level debug.
 */
export function createLogger({ level, stream = logStream() }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorKind },
      hooks: {
        logMethod(args, method) {
          // If the line has no text, pino takes the message of the error as its text.
          const [first, text] = args as unknown[];
          if (text === undefined && errorIn(first))
            method.call(this, first as object, 'An error was logged.');
          else method.apply(this, args);
        },
      },
    },
    stream,
  );
}

/** Standard output (1) or standard error (2) for a log: as text for people on a terminal, otherwise as JSON. */
export function logStream(fd: 1 | 2 = 1): DestinationStream {
  if ((fd === 1 ? process.stdout : process.stderr).isTTY)
    return pretty({
      destination: fd,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss.l',
      singleLine: true,
    });
  // Writing many lines together keeps a slow reader from blocking the event loop. pino writes the remaining lines when the
  // process exits.
  return destination({ fd, sync: false, minLength: 4096, periodicFlush: 100 });
}

function errorIn(value: unknown): boolean {
  return value instanceof Error || (typeof value === 'object' && value !== null && 'err' in value);
}

interface ErrorKind {
  name: string;
  code?: string;
  constraint?: string;
  stack?: string[];
  cause?: ErrorKind;
}

const deepestCause = 5;

/** The parts of an error that say where it comes from and never contain stored text. */
export function errorKind(error: unknown, depth = 0): ErrorKind {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, constraint_name: constraint } = error as { code?: unknown; constraint_name?: unknown };
  return {
    name: isName(error.name) ? error.name : 'Error',
    ...(isName(code) && { code }),
    ...(isName(constraint) && { constraint }),
    stack: stackFrames(error),
    ...(error.cause !== undefined && depth < deepestCause && { cause: errorKind(error.cause, depth + 1) }),
  };
}

/** An error with its message and the messages of its causes; for level debug only. */
export function errorDetail(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= deepestCause) return own;
  return `${own}\ncaused by ${errorDetail(error.cause, depth + 1)}`;
}

/** Whether a value is a name or a code, and not a text. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w$.-]{1,63}$/.test(value);
}

/**
 * The stack without the message, because a message may have lines that look like stack frames. Without frames if the message was
 * changed after the stack was made: nobody knows then where the first message ends.
 */
function stackFrames(error: Error): string[] {
  const stack = String(error.stack ?? '');
  const message = String(error.message);
  const start = stack.indexOf(message);
  if (start < 0) return [];
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 15)
    .map((line) => line.trim());
}
