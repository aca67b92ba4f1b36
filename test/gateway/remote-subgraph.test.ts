import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { remoteClient, type RemoteOptions } from '#gateway/remote-data-source.js';
import { silentLogger } from '#platform/logger.js';

import { caller } from './support/start-gateway.js';

const unavailable = {
  data: null,
  errors: [
    {
      message: 'A part of the service is not available for the moment',
      extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 2 },
    },
  ],
};

const outcomeUnknown = {
  data: null,
  errors: [
    {
      message: expect.stringMatching(/may have been done or not/),
      extensions: { code: 'UNAVAILABLE', reason: 'OUTCOME_UNKNOWN' },
    },
  ],
};

async function clientOf(listener: RequestListener, options: RemoteOptions = {}) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/graphql`;
  const client = remoteClient({ name: 'fleet', url }, silentLogger, { timeoutMs: 200, ...options });
  onTestFinished(async () => {
    await client.stop();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const misbehaviours: [string, RequestListener][] = [
  ['fails', (_, response) => response.writeHead(503).end('{"errors":[{"message":"overloaded"}]}')],
  ['hangs', () => {}],
  ['hangs half-way', (_, response) => response.writeHead(200).write('{"data":')],
  ['answers with a page', (_, response) => response.writeHead(200).end('<html>Welcome to nginx</html>')],
  ['answers with something else', (_, response) => response.writeHead(200).end('[]')],
  ['hangs up', (request) => request.socket.destroy()],
];

test.each(misbehaviours)('a subgraph that %s is UNAVAILABLE', async (_, listener) => {
  const client = await clientOf(listener);
  expect(await client.execute({ query: '{ instances { id } }' }, caller)).toEqual(unavailable);
});

test('a mutation is never sent twice', async () => {
  let calls = 0;
  const client = await clientOf((request) => {
    calls += 1;
    request.socket.destroy();
  });
  expect(await client.execute({ query: 'mutation { buy }' }, caller)).toEqual(outcomeUnknown);
  expect(calls).toBe(1);
  await client.execute({ query: '{ instances { id } }' }, caller);
  expect(calls).toBe(3);
});

test.each(misbehaviours.filter(([name]) => name !== 'fails'))(
  'a mutation by a subgraph that %s may be done, and no caller is told to come again',
  async (_, listener) => {
    const client = await clientOf(listener);
    expect(await client.execute({ query: 'mutation { buy }' }, caller)).toEqual(outcomeUnknown);
  },
);

test('a mutation that no subgraph has heard, or that was answered 503, is not done', async () => {
  const refusing = await clientOf((_, response) => response.writeHead(503).end());
  expect(await refusing.execute({ query: 'mutation { buy }' }, caller)).toEqual(unavailable);
  const none = remoteClient({ name: 'fleet', url: 'http://127.0.0.1:9/graphql' }, silentLogger);
  onTestFinished(() => none.stop());
  expect(await none.execute({ query: 'mutation { buy }' }, caller)).toEqual(unavailable);
});

test('errors of a refused request are handed on', async () => {
  const errors = [{ message: 'No', extensions: { code: 'BAD_REQUEST' } }];
  const client = await clientOf((_, response) => response.writeHead(400).end(JSON.stringify({ errors })));
  expect(await client.execute({ query: '{ instances { id } }' }, caller)).toEqual({ errors });
});

test('whoever waits for a subgraph that hangs has a deadline, and what was not sent is not done', async () => {
  const sent: { query: string }[] = [];
  const client = await clientOf(
    (request) => {
      request.once('data', (body: Buffer) => sent.push(JSON.parse(body.toString()) as { query: string }));
    },
    { connections: 2, timeoutMs: 1_000, readyWithinMs: 200 },
  );
  let areOver = false;
  const under = [1, 2].map(async () => client.execute({ query: '{ instances { id } }' }, caller));
  void Promise.race(under).then(() => (areOver = true));
  await expect.poll(() => sent.length).toBe(2);
  const waiting = Array.from({ length: 16 }, async () =>
    client.execute({ query: 'mutation { buy }' }, caller),
  );
  // Whoever comes when as many wait as may is told at once.
  expect(await client.execute({ query: 'mutation { buy }' }, caller)).toEqual(unavailable);
  expect(await client.problem()).toBe('Subgraph fleet does not answer');
  expect(areOver).toBe(false);
  expect(await Promise.all([...under, ...waiting])).toEqual(Array(18).fill(unavailable));
  expect(sent.filter(({ query }) => query === 'mutation { buy }')).toEqual([]);
});
