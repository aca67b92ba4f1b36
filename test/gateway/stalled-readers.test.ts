import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { expect, test } from 'vitest';

import { startGateway } from './support/start-gateway.js';

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

test('a peer that answers no ping is cut off', async () => {
  const { url, world } = await startGateway('in process', { webSocketLimits: { pingEveryMs: 50 } });
  const socket = await stalledReader(url, 'subscription { instanceChanged { id } }');
  await expect.poll(() => world.changes.size).toBe(1);
  await expect.poll(() => world.changes.size, { timeout: 2_000 }).toBe(0);
  socket.destroy();
});

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
