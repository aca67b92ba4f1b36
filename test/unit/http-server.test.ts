import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { expect, test } from 'vitest';

import { createHttpServer } from '#platform/http-server.js';

test('requests and answers come as Express would make them, and others as Node does', async () => {
  const app = express();
  app.get('/', (request, response) => void response.json({ path: request.path }));
  const plain = (_request: IncomingMessage, response: ServerResponse) =>
    void response.end('{"path":"plain"}');
  for (const [listener, path] of [
    [app, '/'],
    [plain, 'plain'],
  ] as const) {
    const server = createHttpServer(listener);
    const born: unknown[] = [];
    server.prependListener('request', (request, response) => {
      born.push(
        Object.getPrototypeOf(request) === app.request,
        Object.getPrototypeOf(response) === app.response,
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await answer.json()).toEqual({ path });
    expect(born).toEqual(listener === app ? [true, true] : [false, false]);
    server.closeAllConnections();
    server.close();
  }
});
