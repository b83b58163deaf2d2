import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: LogLevel;
  /** Where lines go. Default: standard output, for people when it is a terminal, as JSON otherwise. */
  stream?: DestinationStream;
}

/**
 * The server's log. An error that is logged shows its kind, codes and stack, never its message: those of Drizzle and
 * PostgreSQL contain SQL, parameters and stored text. Who needs messages asks for `errorDetail` at level debug.
 */
export function createLogger({ level, stream = standardOutput() }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorKind },
      hooks: {
        logMethod(args, method) {
          // Without a text of its own, pino takes the error's message for it.
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

function standardOutput(): DestinationStream {
  if (process.stdout.isTTY)
    return pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', singleLine: true });
  // Lines of a busy moment are written together, and a slow reader does not hold up the event loop. What is left when
  // the process exits, pino writes then.
  return destination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 100 });
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

/** Of an error, what tells a developer where it comes from and cannot hold anybody's text. */
export function errorKind(error: unknown, depth = 0): ErrorKind {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, constraint_name: constraint } = error as { code?: unknown; constraint_name?: unknown };
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    ...(typeof constraint === 'string' && { constraint }),
    stack: stackFrames(error),
    ...(error.cause !== undefined && depth < deepestCause && { cause: errorKind(error.cause, depth + 1) }),
  };
}

/** An error with its messages and those of its causes, for level debug only. */
export function errorDetail(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= deepestCause) return own;
  return `${own}\ncaused by ${errorDetail(error.cause, depth + 1)}`;
}

/** The lines of a stack below the message, which itself may have lines that look like them. */
function stackFrames(error: Error): string[] {
  const stack = error.stack ?? '';
  const start = stack.indexOf(error.message);
  return (start < 0 ? stack : stack.slice(start + error.message.length))
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 15)
    .map((line) => line.trim());
}
