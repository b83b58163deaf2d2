// Given to node by `--import`, this appends the URL of each module that the process loads, or that a thread or process of its
// loads, to the file that MODULES_FILE names.
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';

/** Called by Node for each module, in the thread of the hooks. */
export function load(url, context, nextLoad) {
  appendFileSync(process.env.MODULES_FILE, `${url}\n`);
  return nextLoad(url, context);
}

// Node loads this file again in the thread of the hooks, which must not register it once more.
const hooks = new URL('?hooks', import.meta.url).href;
if (import.meta.url !== hooks) register(hooks);
