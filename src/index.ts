// What a program gets that imports the package.
export { type FunesServer, startFunes } from './composition.ts';
export { type Config, loadConfig } from './config.ts';
export { type ErrorCode, FunesError } from './errors.ts';
export { createLogger, type Logger } from './log.ts';
