import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  type ConnectionOptions,
  connect as connectTls,
  rootCertificates,
  type SecureVersion,
} from 'node:tls';
import type { ConnectionUrl, ServerAddress } from '../connection-url.ts';

/** Opens a socket to one of the servers of a URL, encrypted as it says. postgres.js calls it with its options. */
export type OpenSocket = (options: { host: string[] }) => Promise<Socket>;

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const accepted = 'S'.charCodeAt(0);

/**
 * Makes what opens sockets to the servers of a URL: to the first one that can be reached. With `target_session_attrs`, postgres.js
 * leaves a server that it does not want and asks again; each call then begins with the next server.
 */
export function socketsTo({ addresses, parameters }: ConnectionUrl, timeoutMs: number): OpenSocket {
  const tls = tlsOptions(parameters);
  const isRandom = parameters.load_balance_hosts === 'random';
  const goesOn = (parameters.target_session_attrs ?? 'any') !== 'any';
  let next = 0;
  return async (options) => {
    // While a connection starts, postgres.js keeps an error to itself and asks for another socket if it knows of another host.
    options.host.splice(0, options.host.length, ...addresses.map(({ host }) => host));
    const first = isRandom ? Math.floor(Math.random() * addresses.length) : goesOn ? next++ : 0;
    let failure: unknown;
    for (let tried = 0; tried < addresses.length; tried++) {
      const address = addresses[(first + tried) % addresses.length] as ServerAddress;
      try {
        return await withinTime(address, parameters, tls, timeoutMs);
      } catch (error) {
        failure ??= error;
      }
    }
    // All have been tried, so this error is for the caller.
    options.host.splice(1);
    throw failure;
  };
}

function tlsOptions(parameters: Readonly<Record<string, string>>): ConnectionOptions {
  const { sslrootcert, sslcert, sslkey, sslpassword, sslcrl } = parameters;
  const mode = parameters.sslmode ?? (sslrootcert === 'system' ? 'verify-full' : undefined);
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
  const isGiven = sslrootcert !== undefined && sslrootcert !== 'system';
  // As libpq does it: with a root certificate, require verifies the chain.
  const verifies = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && isGiven);
  return {
    rejectUnauthorized: verifies,
    ...(verifies && { ca: isGiven ? readFileSync(sslrootcert) : [...rootCertificates] }),
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    cert: read(sslcert),
    key: read(sslkey),
    passphrase: sslpassword,
    crl: read(sslcrl),
    ...(parameters.ssl_min_protocol_version && {
      minVersion: parameters.ssl_min_protocol_version as SecureVersion,
    }),
    ...(parameters.ssl_max_protocol_version && {
      maxVersion: parameters.ssl_max_protocol_version as SecureVersion,
    }),
  };
}

function withinTime(
  { host, address, port }: ServerAddress,
  parameters: Readonly<Record<string, string>>,
  tls: ConnectionOptions,
  timeoutMs: number,
): Promise<Socket> {
  const isFile = host.startsWith('/');
  const socket = isFile
    ? connectPlain(join(host, `.s.PGSQL.${port}`))
    : connectPlain({ host: address ?? host, port });
  const mode = parameters.sslmode ?? (parameters.sslrootcert === 'system' ? 'verify-full' : 'disable');
  const isPlain = isFile || mode === 'disable';
  return new Promise((resolve, reject) => {
    let open: Socket = socket;
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const done = () => {
      clearTimeout(timer);
      open.off('error', fail).off('close', closed);
      socket.off('error', fail).off('close', closed);
      resolve(open);
    };
    const closed = () => fail(failure('ECONNRESET', 'The server closed the connection.'));
    const timer = setTimeout(() => fail(failure('CONNECT_TIMEOUT', 'The server did not answer.')), timeoutMs);
    const encrypt = () => {
      socket.off('close', closed);
      open = connectTls({
        ...tls,
        socket,
        ...(parameters.sslsni !== '0' && isIP(host) === 0 && { servername: host }),
        ...(mode === 'verify-full' && { host }),
        ...(parameters.sslnegotiation === 'direct' && { ALPNProtocols: ['postgresql'] }),
      });
      open
        .once('secureConnect', done)
        .once('error', (error: Error) => fail(asTlsFailure(error)))
        .once('close', closed);
    };
    socket.once('error', fail).once('close', closed);
    socket.once('connect', () => {
      if (isPlain) return done();
      if (parameters.sslnegotiation === 'direct') return encrypt();
      socket.once('data', (answer) => {
        if (answer[0] === accepted) return encrypt();
        if (mode === 'prefer' || mode === 'allow') return done();
        fail(failure('TLS_REFUSED', 'The server offers no TLS.'));
      });
      socket.write(sslRequest);
    });
  });
}

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

/** An error of TLS keeps its message and gets a code by which it is told apart from a server that is down. */
function asTlsFailure(error: NodeJS.ErrnoException): Error {
  const isNetwork = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(error.code ?? '');
  return isNetwork ? error : failure('TLS_FAILED', error.message);
}
