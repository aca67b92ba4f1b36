import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

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

test('an answer that nobody reads is given up in its time, and one that is read slowly or made slowly comes whole', async () => {
  const unreadMs = 1_000;
  const large = Buffer.alloc(32 * 1024 * 1024, 'x');
  const server = createHttpServer(
    ({ url }, response) => {
      if (url === '/large') response.end(large);
      else setTimeout(() => response.end('late'), 2 * unreadMs);
    },
    undefined,
    unreadMs,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = (path: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: panel\r\nConnection: close\r\n\r\n`);
    return socket;
  };

  const unread = ask('/large').pause();
  const [given] = (await once(server, 'connection')) as [Socket];
  await once(given, 'close');
  expect(unread.bytesRead).toBeLessThan(large.length);

  let taken = 0;
  const slow = ask('/large');
  slow.on('data', ({ length }: Buffer) => {
    taken += length;
    slow.pause();
    setTimeout(() => slow.resume(), taken < 12 * 1024 * 1024 ? 10 : 0);
  });
  await once(slow, 'close');
  expect(taken).toBeGreaterThan(large.length);

  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('late');
  server.closeAllConnections();
  server.close();
}, 30_000);
