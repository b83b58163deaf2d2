// Given to every Node process by NODE_OPTIONS, this lets it connect to loopback addresses and to the hosts in ONLY_HOSTS. Any other
// connection fails, and its host becomes a line of the file REFUSED_HOSTS.
import { appendFileSync } from 'node:fs';
import { isIP, Socket } from 'node:net';

const allowed = new Set(process.env.ONLY_HOSTS?.split(',').filter(Boolean));
const isLoopback = (host) =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  // Node passes what it has normalised as one array.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const options =
    typeof first === 'object'
      ? first
      : { port: first, host: typeof second === 'string' ? second : undefined };
  const host = options.host ?? 'localhost';
  const isSocketFile = Boolean(options.path) || Number.isNaN(Number(options.port));
  if (isSocketFile || isLoopback(host) || allowed.has(host)) return connect.apply(this, args);
  appendFileSync(process.env.REFUSED_HOSTS, `${host}:${options.port} of ${process.argv.join(' ')}\n`);
  process.nextTick(() => this.destroy(new Error(`A connection to ${host} is not allowed.`)));
  return this;
};
