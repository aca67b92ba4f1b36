import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { systemClock, type Clock } from '#platform/clock.js';

import { closeCode, first, inAnHour, openAcknowledged, openRaw } from './support/sockets.js';
import { startGateway } from './support/start-gateway.js';

test('queries, mutations and subscriptions run over the socket, as the one who opened it', async () => {
  const { client, world } = await startGateway('in process');
  const authorization = inAnHour();
  const socket = client({ connectionParams: { Authorization: authorization } });
  expect(await first(socket, '{ whoAmI { authorization } }')).toEqual({
    data: { whoAmI: { authorization } },
  });
  expect(await first(socket, 'mutation { renameInstance(id: "i1", name: "x") { score } }')).toEqual({
    data: { renameInstance: { score: 90 } },
  });
  const event = first(socket, 'subscription { instanceChanged { name } }', { after: 'c4' });
  await expect.poll(() => world.resumedAfter).toEqual(['c4']);
  world.changes.push({ payload: 'i2', cursor: 'c5' });
  expect(await event).toEqual({ data: { instanceChanged: { name: 'beta' } }, extensions: { cursor: 'c5' } });
  await expect.poll(() => world.changes.size).toBe(0);
});

test('what is wrong with an operation is said without closing the socket', async () => {
  const { client } = await startGateway('in process');
  const socket = client();
  await expect(first(socket, '{ nothing }')).rejects.toEqual([
    expect.objectContaining({ extensions: { code: 'BAD_REQUEST' } }),
  ]);
  expect(await first(socket, '{ __typename }')).toEqual({ data: { __typename: 'Query' } });
});

test('a socket is closed within a second of its token ending, and clients come back with a new one', async () => {
  const { client, world } = await startGateway('in process');
  const endsAt = Math.floor(Date.now() / 1000) + 2;
  const tokens = [`Bearer ${endsAt}`, inAnHour()];
  const used: string[] = [];
  let closed: { code: number; reason: string; at: number } | undefined;
  const socket = client({
    connectionParams: () => {
      used.push(tokens[used.length]!);
      return { authorization: used.at(-1) };
    },
    on: { closed: (event) => (closed ??= { ...pick(event), at: Date.now() }) },
  });
  const events = socket.iterate({ query: 'subscription { instanceChanged { id } }' });
  const event = events.next();
  await expect.poll(() => closed, { timeout: 30_000 }).toBeDefined();
  expect(closed).toEqual({ code: 4419, reason: 'Token expired', at: expect.any(Number) });
  expect(closed!.at - endsAt * 1000).toBeGreaterThanOrEqual(0);
  expect(closed!.at - endsAt * 1000).toBeLessThan(1_000);

  // The same subscription, over a new socket.
  await expect.poll(() => world.resumedAfter.length).toBe(2);
  await expect.poll(() => world.changes.size).toBe(1);
  world.changes.push({ payload: 'i1' });
  expect(await event).toMatchObject({ value: { data: { instanceChanged: { id: 'i1' } } } });
  expect(used).toEqual(tokens);
  await events.return?.(undefined);
});

test('a token of a month does not end at once', async () => {
  const delays: number[] = [];
  const clock: Clock = {
    now: () => systemClock.now(),
    delay: (ms, signal) => systemClock.delay(delays.push(ms) && ms, signal),
  };
  const { url } = await startGateway('in process', { clock });
  const aMonth = Math.floor(Date.now() / 1000) + 30 * 24 * 3600;
  const socket = await openAcknowledged(url, { authorization: `Bearer ${aMonth}` });
  expect(await Promise.race([closeCode(socket), sleep(200, 'open')])).toBe('open');
  // Node's timers fire at once when asked for more than 2^31 ms.
  expect(delays.filter((ms) => ms >= 2 ** 31)).toEqual([]);
  expect(delays).toHaveLength(1);
});

test('an empty operation name is none, as over HTTP', async () => {
  const { url } = await startGateway('in process');
  const socket = await openAcknowledged(url);
  socket.send(
    JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ __typename }', operationName: '' } }),
  );
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(answer.toString())).toEqual({
    id: '1',
    type: 'next',
    payload: { data: { __typename: 'Query' } },
  });
});

test('a reader that stalls is cut off at a bounded cost, and slows nobody', async () => {
  const { url, world, client } = await startGateway('in process', {
    webSocketLimits: { bufferedBytes: 1024 * 1024, stalledAfterMs: 300 },
  });
  const stalled = await stalledReader(url, 'subscription { ticks(bytes: 10000) }');
  await expect.poll(() => world.ticks.size).toBe(1);
  const healthy = client();
  const events = healthy.iterate({ query: 'subscription { ticks(bytes: 10) }' });
  const event = events.next();
  await expect.poll(() => world.ticks.size).toBe(2);

  // 20 MB for the stalled reader: kernel buffers take some of it, the limit takes the rest.
  let delivered = 0;
  let slowest = 0;
  let next: Promise<unknown> = event;
  for (let n = 0; n < 2_000 && world.ticks.size === 2; n += 1) {
    const at = performance.now();
    world.ticks.push({ payload: n });
    await next;
    slowest = Math.max(slowest, performance.now() - at);
    delivered += 1;
    next = events.next();
  }
  await expect.poll(() => world.ticks.size).toBe(1);
  expect(delivered).toBeGreaterThan(50);
  expect(slowest).toBeLessThan(500);
  world.ticks.push({ payload: 'after' });
  expect(await next).toMatchObject({ value: { data: { ticks: 'x'.repeat(10) } } });
  await events.return?.(undefined);
  stalled.destroy();
});

test('a reader that is only slower than a burst gets all of it', async () => {
  const { world, client } = await startGateway('in process', {
    webSocketLimits: { bufferedBytes: 256 * 1024 },
  });
  const events = client().iterate({ query: 'subscription { ticks(bytes: 10000) }' });
  let event = events.next();
  await expect.poll(() => world.ticks.size).toBe(1);
  for (let n = 0; n < 2_000; n += 1) world.ticks.push({ payload: n, cursor: String(n) });
  const cursors: unknown[] = [];
  for (let n = 0; n < 2_000; n += 1) {
    cursors.push((await event).value?.extensions?.cursor);
    event = events.next();
  }
  expect(cursors).toEqual(Array.from({ length: 2_000 }, (_, n) => String(n)));
  await events.return?.(undefined);
});

test('a socket carries a bounded number of operations', async () => {
  const { client, world } = await startGateway('in process', { webSocketLimits: { operations: 2 } });
  const socket = client();
  const open = [0, 1].map(() => socket.iterate({ query: 'subscription { instanceChanged { id } }' }));
  const events = open.map((events) => events.next());
  await expect.poll(() => world.changes.size).toBe(2);
  await expect(first(socket, '{ __typename }')).rejects.toEqual([
    expect.objectContaining({ extensions: { code: 'LIMIT_REACHED', details: { limit: 2, used: 2 } } }),
  ]);
  for (const iterator of open) await iterator.return?.(undefined);
  await Promise.all(events);
  expect(await first(socket, '{ __typename }')).toEqual({ data: { __typename: 'Query' } });
});

test('messages that are too large close the socket, and so does silence', async () => {
  const { url } = await startGateway('in process', {
    webSocketLimits: { messageBytes: 1000, initWithinMs: 100 },
  });
  const large = await openRaw(url);
  large.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '#'.repeat(2_000) } }));
  expect(await closeCode(large)).toBe(1009);

  const silent = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  expect(await closeCode(silent)).toBe(4408);
});

test('a peer that answers no ping is cut off', async () => {
  const { url, world } = await startGateway('in process', { webSocketLimits: { pingEveryMs: 50 } });
  const socket = await stalledReader(url, 'subscription { instanceChanged { id } }');
  await expect.poll(() => world.changes.size).toBe(1);
  await expect.poll(() => world.changes.size, { timeout: 2_000 }).toBe(0);
  socket.destroy();
});

test('stopping closes each socket with a code that clients retry, and its subscriptions', async () => {
  const { url, gateway, world } = await startGateway('in process');
  const sockets = await Promise.all([1, 2, 3].map(() => openAcknowledged(url)));
  for (const socket of sockets) {
    const payload = { query: 'subscription { instanceChanged { id } }' };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  }
  await expect.poll(() => world.changes.size).toBe(3);
  const codes = Promise.all(sockets.map(closeCode));
  await gateway.stop();
  expect(await codes).toEqual([1012, 1012, 1012]);
  expect(world.changes.size).toBe(0);
  const late = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  const [error] = (await once(late, 'error')) as [Error];
  expect(error.message).toContain('503');
});

test('other paths are not served', async () => {
  const { url } = await startGateway('in process');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/other`, 'graphql-transport-ws');
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toContain('404');
});

function pick(event: unknown): { code: number; reason: string } {
  const { code, reason } = event as { code: number; reason: string };
  return { code, reason };
}

/** Speaks WebSocket by hand over a TCP socket that, once subscribed, reads nothing and answers no ping. */
async function stalledReader(url: string, query: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    'GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
  );
  await once(socket, 'data');
  socket.write(frame({ type: 'connection_init' }));
  await once(socket, 'data');
  socket.pause();
  socket.write(frame({ id: '1', type: 'subscribe', payload: { query } }));
  return socket;
}

/** A masked text frame of fewer than 126 bytes; the mask is zero, which leaves the text as it is. */
function frame(message: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
}
