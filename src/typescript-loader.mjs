// Given to a thread or a process as `--import`, this lets it load TypeScript modules. It is needed because tsx's own entry
// registers its module loader in a process's main thread only, and because a test runner's process has none.
import { register } from 'tsx/esm/api';

register();
