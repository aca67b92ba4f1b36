import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { GraphQLError } from 'graphql';
import type { Client } from 'graphql-ws';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { Origins } from '#gateway/origins.js';
import { systemClock, type Clock } from '#platform/clock.js';

import { startGateway } from './support/start-gateway.js';

const inAnHour = (): string => `Bearer ${Math.floor(Date.now() / 1000) + 3600}`;

/** The code a client of the raw protocol is closed with. */
async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

async function openRaw(url: string, payload?: Record<string, unknown>): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  return socket;
}

async function openAcknowledged(url: string, payload?: Record<string, unknown>): Promise<WebSocket> {
  const socket = await openRaw(url, payload);
  await once(socket, 'message');
  return socket;
}

async function first(client: Client, query: string, extensions?: Record<string, unknown>): Promise<unknown> {
  for await (const result of client.iterate({ query, extensions })) return result;
  return undefined;
}

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
  await expect.poll(() => closed, { timeout: 5_000 }).toBeDefined();
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

test('a socket whose token is refused is told why, for good; one whose token has ended may come again', async () => {
  const { url } = await startGateway('in process');
  const closed = async (authorization: string) => {
    const [code, reason] = (await once(await openRaw(url, { authorization }), 'close')) as [number, Buffer];
    return [code, reason.toString()];
  };
  expect(await closed('Bearer nonsense')).toEqual([4401, 'The token is not valid']);
  expect(await closed('Bearer 1')).toEqual([4419, 'Token expired']);
});

test('clients give up on a token that is refused', async () => {
  const { client } = await startGateway('in process');
  const socket = client({ retryAttempts: 1_000, connectionParams: { authorization: 'Bearer nonsense' } });
  await expect(first(socket, '{ __typename }')).rejects.toMatchObject({ code: 4401 });
});

test('an address has so many sockets that have not signed in, and those that have do not count', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { anonymousPerAddress: 2 } });
  for (let n = 0; n < 3; n += 1) await openAcknowledged(url, { authorization: inAnHour() });
  const anonymous = [await openAcknowledged(url), await openAcknowledged(url)];
  const refused = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  const [code, reason] = (await once(refused, 'close')) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([1013, 'Too many sockets of this address have not signed in']);
  anonymous[0]!.close();
  await once(anonymous[0]!, 'close');
  await openAcknowledged(url, { authorization: inAnHour() });
});

const pings = {
  'of graphql-transport-ws': (socket: WebSocket) => socket.send(JSON.stringify({ type: 'ping' })),
  'of WebSockets': (socket: WebSocket) => socket.ping(),
};

test.each(Object.entries(pings))('pings %s are free as a keep-alive, and charged beyond', async (_, ping) => {
  let charged = 0;
  const spent = new GraphQLError('spent', { extensions: { code: 'RATE_LIMITED' } });
  const charge = () => Promise.resolve((charged += 1) > 5 ? spent : undefined);
  const { url } = await startGateway('in process', { charge });
  const socket = await openAcknowledged(url);
  for (let n = 0; n < 20; n += 1) ping(socket);
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ __typename }' } }));
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => data.toString().includes('"complete"') && resolve());
  });
  // The operation itself.
  expect(charged).toBe(1);
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  for (let n = 0; n < 40; n += 1) ping(socket);
  const [code, reason] = await closed;
  expect([code, reason.toString(), charged > 5]).toEqual([1013, 'Too many messages', true]);
});

test('nothing long is read of a socket that has not signed in', async () => {
  const { url } = await startGateway('in process');
  const long = JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '#'.repeat(70_000) } });
  const anonymous = await openAcknowledged(url);
  anonymous.send(long);
  expect(await closeCode(anonymous)).toBe(1009);
  const known = await openAcknowledged(url, { authorization: inAnHour() });
  known.send(long);
  const [answer] = (await once(known, 'message')) as [Buffer];
  expect(JSON.parse(answer.toString())).toMatchObject({ type: 'error' });
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

test.each(['http://evil.example', 'null'])(
  'pages of %s open no socket where origins are listed',
  async (origin) => {
    const origins = new Origins(['https://dashboards.example.com'], 'https://panel.example.com');
    const { url } = await startGateway('in process', { origins });
    const open = (from?: string) =>
      new WebSocket(
        url.replace('http', 'ws'),
        'graphql-transport-ws',
        from === undefined ? {} : { origin: from },
      );
    const [code, reason] = (await once(open(origin), 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1008, 'This origin is not allowed']);
    const own = new URL(url).origin;
    for (const from of ['https://dashboards.example.com', 'https://panel.example.com', own, undefined]) {
      const socket = open(from);
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await once(socket, 'message');
      socket.terminate();
    }
  },
);

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
