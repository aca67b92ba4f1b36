import { once } from 'node:events';

import { GraphQLError } from 'graphql';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { Origins } from '#gateway/origins.js';

import { closeCode, first, inAnHour, openAcknowledged, openRaw } from './support/sockets.js';
import { startGateway } from './support/start-gateway.js';

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

test('a tenant has so many sockets, and so many streams of events', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { perTenant: 2 } });
  const authorization = inAnHour();
  const open = [
    await openAcknowledged(url, { authorization }),
    await openAcknowledged(url, { authorization }),
  ];
  const [code] = (await once(await openRaw(url, { authorization }), 'close')) as [number];
  expect(code).toBe(1013);
  open[0]!.close();
  await once(open[0]!, 'close');
  await openAcknowledged(url, { authorization });
  // Those who have not signed in are not of it.
  await openAcknowledged(url);

  const stream = async () => {
    const left = new AbortController();
    const answer = await fetch(url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: 'subscription { instanceChanged { id } }' }),
      signal: left.signal,
    });
    onTestFinished(() => left.abort());
    return answer;
  };
  await stream();
  await stream();
  expect(await (await stream()).text()).toContain('LIMIT_REACHED');
});

test('a node has so many sockets, and takes none of those of its tenant', async () => {
  const { url } = await startGateway('in process', {
    webSocketLimits: { perTenant: 1, perNode: 1 },
    verify: async (authorization) => ({
      expiresAt: 9_999_999_999,
      tenantId: 'org_1',
      ...(authorization === 'user' ? {} : { kind: 'node', instanceId: authorization }),
    }),
  });
  for (const authorization of ['one', 'two', 'user']) await openAcknowledged(url, { authorization });
  const [code] = (await once(await openRaw(url, { authorization: 'one' }), 'close')) as [number];
  expect(code).toBe(1013);
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

test('a message that does not end closes its socket: of a stranger by its length, of a member by its time', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { messageWithinMs: 200 } });
  const begin = (socket: WebSocket, characters: number) =>
    socket.send('#'.repeat(characters), { fin: false });
  const stranger = await openAcknowledged(url);
  begin(stranger, 70_000);
  expect(await closeCode(stranger)).toBe(1009);
  const member = await openAcknowledged(url, { authorization: inAnHour() });
  begin(member, 10);
  expect(await closeCode(member)).toBe(1008);
  // What is whole, and signs of life, are no beginnings.
  const steady = await openAcknowledged(url, { authorization: inAnHour() });
  for (let turn = 0; turn < 6; turn += 1) {
    steady.send(JSON.stringify({ type: 'ping' }));
    steady.ping();
    await once(steady, 'message');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(steady.readyState).toBe(steady.OPEN);
});

test('beginnings of messages have a bound together', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { unfinishedBytes: 100_000 } });
  const [one, other] = [
    await openAcknowledged(url, { authorization: inAnHour() }),
    await openAcknowledged(url, { authorization: inAnHour() }),
  ];
  const small = await openAcknowledged(url, { authorization: inAnHour() });
  one.send('#'.repeat(70_000), { fin: false });
  other.send('#'.repeat(70_000), { fin: false });
  const closed = await Promise.race([closeCode(one), closeCode(other)]);
  expect(closed).toBe(1013);
  small.send(JSON.stringify({ type: 'ping' }));
  await once(small, 'message');
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
