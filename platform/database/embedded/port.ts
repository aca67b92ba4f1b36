import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The port that was asked for when it is free on loopback, else undefined. Port 0 stands for any free one. */
export async function freePort(wanted: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}
