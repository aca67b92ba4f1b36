import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

import { secureTest } from './certificate.js';

/** A real HTTP server on one of this machine's loopback addresses, which remembers what it was asked. */
export interface Loopback extends AsyncDisposable {
  port: number;
  requests: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
}

export async function startLoopback(
  answer: RequestListener,
  { host = '127.0.0.1', port = 0, isSecure = false, tls = {} as SecureContextOptions } = {},
): Promise<Loopback> {
  const requests: Loopback['requests'] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  };
  const server = isSecure ? createSecureServer({ ...secureTest, ...tls }, listener) : createServer(listener);
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
