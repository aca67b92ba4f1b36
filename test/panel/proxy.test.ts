import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

import express from 'express';
import { expect, onTestFinished, test } from 'vitest';

import { requestContextMiddleware } from '#gateway/request-context.js';
import { createProxy, type ProxyOptions } from '#panel/proxy.js';
import { answerError } from '#platform/http-error.js';
import { silentLogger } from '#platform/logger.js';

async function listening(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The port of a gateway that hands everything under /hooks to this subgraph. */
async function proxyTo(subgraph: RequestListener, options: ProxyOptions = {}): Promise<number> {
  const target = `http://127.0.0.1:${await listening(subgraph)}`;
  const app = express().use(
    requestContextMiddleware(false),
    createProxy(target, ['/hooks'], async () => 'token', options),
    answerError(silentLogger),
  );
  return listening(app);
}

async function halfSent(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write('POST /hooks HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
  return socket;
}

const echo: RequestListener = (incoming, response) => void incoming.pipe(response);

test('a body comes as it was sent, in whatever encoding, and one that is too long does not', async () => {
  const port = await proxyTo(echo);
  const send = async (body: Buffer): Promise<[number | undefined, Buffer]> => {
    const headers = { 'content-encoding': 'x-own', 'content-length': body.length, expect: '100-continue' };
    const sending = request({ port, method: 'POST', path: '/hooks', headers });
    sending.once('continue', () => sending.end(body));
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    return [answer.statusCode, await buffer(answer)];
  };
  const sent = Buffer.alloc(1024 * 1024, 7);
  const [status, echoed] = await send(sent);
  expect([status, echoed.equals(sent)]).toEqual([200, true]);
  expect((await send(Buffer.alloc(sent.length + 1)))[0]).toBe(413);
});

test('whoever is slow to send a body keeps nobody out, and is told that it was too slow', async () => {
  const port = await proxyTo(echo, { bodyWithinMs: 1_500 });
  const slow = await Promise.all(Array.from({ length: 40 }, async () => halfSent(port)));
  const answer = await fetch(`http://127.0.0.1:${port}/hooks`, { method: 'POST', body: 'through' });
  expect(await answer.text()).toBe('through');
  const [told] = (await once(slow[0]!, 'data')) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1\.1 408 /);
});

test('whoever takes no answer, or leaves before its end, keeps nobody out', async () => {
  let isAsked = 0;
  const port = await proxyTo(({ url }, response) => {
    isAsked += 1;
    response.end(url === '/hooks/long' ? Buffer.alloc(16 * 1024 * 1024) : 'short');
  });
  for (let n = 0; n < 40; n += 1) {
    const socket = await halfSent(port);
    socket.pause().write(`${'x'.repeat(999)}GET /hooks/long HTTP/1.1\r\nHost: x\r\n\r\n`);
    if (n % 2) void once(socket, 'readable').then(() => socket.destroy());
  }
  await expect.poll(() => isAsked, { timeout: 20_000 }).toBeGreaterThanOrEqual(60);
  const answer = await fetch(`http://127.0.0.1:${port}/hooks`);
  expect(await answer.text()).toBe('short');
});

test('a subgraph that hangs has a deadline, also for who waits for a turn; what was not sent is not done', async () => {
  let asked = 0;
  const port = await proxyTo(() => void (asked += 1), { answerWithinMs: 1_000 });
  const post = async () =>
    (await fetch(`http://127.0.0.1:${port}/hooks`, { method: 'POST', body: 'x' })).status;
  const statuses = await Promise.all(Array.from({ length: 40 }, post));
  expect(statuses.filter((status) => status === 502)).toHaveLength(asked);
  expect(statuses.filter((status) => status === 503)).toHaveLength(40 - asked);
  expect(asked).toBe(32);
});
