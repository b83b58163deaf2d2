import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';

export interface FreezingProxy {
  /** The database's URL, through this proxy. */
  url: string;
  /** From now on every connection, also a new one, stays open and passes nothing. */
  freeze(): void;
  /** The same for the connection that is the oldest. */
  freezeOldest(): void;
  /** How many connections were opened while it was frozen. */
  attempts(): number;
  /** Passes everything again, what was held back first. */
  thaw(): void;
  close(): Promise<void>;
}

/** A proxy in front of a database, which can fall silent as a host does that hangs or that a firewall cuts off. */
export async function startFreezingProxy(database: string | EmbeddedDatabase): Promise<FreezingProxy> {
  const { target, user, name } = reach(database);
  const open = new Set<Socket[]>();
  const held = new Set<Socket>();
  let frozen = false;
  let attempts = 0;
  const pass = (client: Socket) => {
    const server = connect(target);
    const pair = [client, server];
    open.add(pair);
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        open.delete(pair);
        to.destroy();
      });
      from.on('error', () => {});
    }
  };
  const proxy = createServer((client) => {
    if (!frozen) return pass(client);
    attempts++;
    held.add(client);
    client.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `postgres://${user}@127.0.0.1:${port}/${name}`,
    freeze: () => {
      frozen = true;
      for (const socket of [...open].flat()) socket.pause();
    },
    freezeOldest: () => {
      for (const socket of [...open][0] ?? []) socket.pause();
    },
    attempts: () => attempts,
    thaw: () => {
      frozen = false;
      for (const socket of [...open].flat()) socket.resume();
      for (const client of held) pass(client);
      held.clear();
    },
    close: async () => {
      for (const socket of [...[...open].flat(), ...held]) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

function reach(database: string | EmbeddedDatabase): { target: NetConnectOpts; user: string; name: string } {
  if (typeof database !== 'string') {
    const { user, database: name, ...target } = database.connection;
    return { target, user, name };
  }
  const { hostname, port, username, password, pathname } = new URL(database);
  return {
    target: { host: hostname, port: Number(port || 5432) },
    user: password === '' ? username : `${username}:${password}`,
    name: pathname.slice(1),
  };
}
