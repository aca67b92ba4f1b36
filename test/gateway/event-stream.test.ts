import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

import { createClient, type Client, type ClientOptions } from 'graphql-sse';
import { expect, onTestFinished, test } from 'vitest';

import { ApiError } from '#platform/errors.js';

import { modes, startGateway } from './support/start-gateway.js';

const inAnHour = (): string => `Bearer ${Math.floor(Date.now() / 1000) + 3600}`;

function clientOf(url: string, options: Partial<ClientOptions<false>> = {}): Client {
  const client = createClient({ url, retry: () => Promise.resolve(), ...options });
  onTestFinished(() => client.dispose());
  return client;
}

/** What the wire has, as text; over Node's own client, so that a test can stop reading. */
async function open(
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const sent = request(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...headers },
  });
  onTestFinished(() => void sent.destroy());
  sent.on('error', () => undefined);
  sent.end(JSON.stringify({ query }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response.setEncoding('utf8');
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

const names = 'subscription { instanceChanged { name } }';

test('a client of graphql-sse gets events, results and errors, as who its token says', async () => {
  const { url, world } = await startGateway('in process');
  const authorization = inAnHour();
  const client = clientOf(url, { headers: { authorization } });
  const events = client.iterate({ query: names });
  const event = events.next();
  await expect.poll(() => world.changes.size).toBe(1);
  world.changes.push({ payload: 'i2', cursor: 'c5' });
  expect((await event).value).toEqual({
    data: { instanceChanged: { name: 'beta' } },
    extensions: { cursor: 'c5' },
  });
  await events.return?.();
  // The stream at the source ends with the connection.
  await expect.poll(() => world.changes.size).toBe(0);

  const once = client.iterate({ query: '{ whoAmI { authorization } }' });
  expect((await once.next()).value).toEqual({ data: { whoAmI: { authorization } } });
  expect((await once.next()).done).toBe(true);
  const wrong = client.iterate({ query: '{ nothing }' });
  expect((await wrong.next()).value).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  expect((await wrong.next()).done).toBe(true);
});

test('a stream resumes after extensions.after, or after the id of the last event, which is newer', async () => {
  const { url, world } = await startGateway('in process');
  const client = clientOf(url);
  const events = client.iterate({ query: names, extensions: { after: 'c4' } });
  const event = events.next();
  await expect.poll(() => world.resumedAfter).toEqual(['c4']);
  await events.return?.();
  await event;
  const resumed = await open(url, names, { 'last-event-id': 'c7' });
  await expect.poll(() => world.resumedAfter).toEqual(['c4', 'c7']);
  world.changes.push({ payload: 'i1', cursor: 'c8' });
  const [text] = (await once(resumed, 'data')) as [string];
  expect(text).toBe(
    'event: next\nid: c8\ndata: {"data":{"instanceChanged":{"name":"alpha"}},"extensions":{"cursor":"c8"}}\n\n',
  );
});

test('a GET opens a stream too, and a client that takes JSON as well gets results in it', async () => {
  const { url, world } = await startGateway('in process');
  const either = { accept: 'application/json, text/event-stream' };
  const events = new AbortController();
  const stream = await fetch(`${url}?query=${encodeURIComponent(names)}`, {
    headers: either,
    signal: events.signal,
  });
  expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(stream.headers.get('x-accel-buffering')).toBe('no');
  await expect.poll(() => world.changes.size).toBe(1);
  events.abort();
  await expect.poll(() => world.changes.size).toBe(0);
  const result = await fetch(`${url}?query=${encodeURIComponent('{ __typename }')}`, { headers: either });
  expect([result.headers.get('content-type'), await result.json()]).toEqual([
    'application/json; charset=utf-8',
    { data: { __typename: 'Query' } },
  ]);
});

test('a stream is kept open by comments', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { pingEveryMs: 20 } });
  const response = await open(url, names, { authorization: inAnHour() });
  const [first] = (await once(response, 'data')) as [string];
  expect(first).toBe(':\n\n');
});

test('a stream ends with its token, and clients come back with a new one', async () => {
  const { url, world } = await startGateway('in process');
  const tokens = [`Bearer ${Math.floor(Date.now() / 1000) + 2}`, inAnHour()];
  const used: string[] = [];
  const client = clientOf(url, {
    headers: () => {
      used.push(tokens[used.length]!);
      return { authorization: used.at(-1)! };
    },
  });
  const events = client.iterate({ query: names });
  const event = events.next();
  await expect.poll(() => world.resumedAfter.length, { timeout: 30_000 }).toBe(2);
  await expect.poll(() => world.changes.size).toBe(1);
  world.changes.push({ payload: 'i1' });
  expect((await event).value).toEqual({ data: { instanceChanged: { name: 'alpha' } } });
  expect(used).toEqual(tokens);
  await events.return?.();
});

test.each(modes)(
  'a stream that ends for something that passes says so, and that it may be asked for again: subgraphs %s',
  async (mode) => {
    const { url, world } = await startGateway(mode);
    const response = await open(url, names);
    await expect.poll(() => world.changes.size).toBe(1);
    world.changes.push({ payload: 'i1', cursor: 'c5' });
    const reason = 'SUBSCRIPTION_OVERRUN';
    world.changes.push({ payload: new ApiError('UNAVAILABLE', 'Too far behind', { reason }) });
    const text = await textOf(response);
    expect(text).toContain('id: c5\n');
    expect(text).toContain(`"code":"UNAVAILABLE","reason":"${reason}"`);
    expect(text).not.toContain('event: complete');
  },
);

test('a token that is withdrawn ends the stream for good, and says why', async () => {
  let denial: ApiError | undefined;
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  const { url, world } = await startGateway('in process', {
    verify: () => Promise.resolve(denial ?? { expiresAt, tenantId: 'org_1' }),
  });
  const response = await open(url, names, { authorization: 'Bearer any' });
  await expect.poll(() => world.changes.size).toBe(1);
  denial = new ApiError('UNAUTHENTICATED', 'The session has ended', { reason: 'TOKEN_REVOKED' });
  const error = {
    message: 'The session has ended',
    extensions: { code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' },
  };
  expect(await textOf(response)).toBe(
    `event: next\ndata: ${JSON.stringify({ errors: [error] })}\n\nevent: complete\ndata:\n\n`,
  );
  expect(world.changes.size).toBe(0);
});

test('stopping ends every stream without completing it', async () => {
  const { url, world, gateway } = await startGateway('in process');
  const responses = await Promise.all([1, 2, 3].map(() => open(url, names)));
  await expect.poll(() => world.changes.size).toBe(3);
  const texts = Promise.all(responses.map(textOf));
  await gateway.stop();
  expect(await texts).toEqual(Array.from({ length: 3 }, () => ': Service restart\n\n'));
  expect(world.changes.size).toBe(0);
});

test('a reader of events that stalls is cut off at a bounded cost', async () => {
  const { url, world } = await startGateway('in process', {
    webSocketLimits: { bufferedBytes: 1024 * 1024, stalledAfterMs: 300 },
  });
  const stalled = await open(url, 'subscription { ticks(bytes: 10000) }');
  stalled.pause();
  await expect.poll(() => world.ticks.size).toBe(1);
  for (let n = 0; n < 2_000; n += 1) world.ticks.push({ payload: n });
  await expect.poll(() => world.ticks.size, { timeout: 30_000 }).toBe(0);
});

test('an address has so many streams without a token', async () => {
  const { url } = await startGateway('in process', { webSocketLimits: { anonymousPerAddress: 1 } });
  await open(url, names);
  expect(await textOf(await open(url, names))).toContain('"code":"LIMIT_REACHED"');
  const known = await open(url, names, { authorization: inAnHour() });
  expect(known.statusCode).toBe(200);
});
