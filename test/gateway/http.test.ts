import { expect, test } from 'vitest';

import { parseTrustProxy } from '#gateway/client-address.js';

import { startGateway } from './support/start-gateway.js';

const json = { 'content-type': 'application/json', accept: 'application/json' };

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });
}

test('the request id of the caller is used and answered with; a made-up one is made', async () => {
  const { url, world } = await startGateway('in process');
  const query = '{ whoAmI { requestId } }';
  const kept = await post(url, { query }, { 'x-request-id': 'order-66_a.b' });
  expect(kept.headers.get('x-request-id')).toBe('order-66_a.b');
  expect(await kept.json()).toEqual({ data: { whoAmI: { requestId: 'order-66_a.b' } } });

  const replaced = await post(url, { query }, { 'x-request-id': 'a b"<script>' });
  expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(world.requests.at(-1)?.requestId).toBe(replaced.headers.get('x-request-id'));
});

test.each([
  ['nobody', false, '127.0.0.1'],
  ['one proxy', 1, '203.0.113.9'],
  ['proxies by address', ['127.0.0.0/8', '203.0.113.9'], '198.51.100.7'],
  ['everybody', true, '192.0.2.1'],
] as const)('forwarded addresses count as far as they are trusted: %s', async (_, trustProxy, address) => {
  const { url } = await startGateway('in process', { trustProxy });
  const forwarded = { 'x-forwarded-for': '192.0.2.1, 198.51.100.7, 203.0.113.9' };
  const answer = await post(url, { query: '{ whoAmI { clientAddress } }' }, forwarded);
  expect(await answer.json()).toEqual({ data: { whoAmI: { clientAddress: address } } });
});

test('a subscription over POST is told where to go', async () => {
  const { url, world } = await startGateway('in process');
  const answer = await post(url, { query: 'subscription { instanceChanged { id } }' });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({
    errors: [
      {
        message:
          'Subscriptions are served at this address over a WebSocket (protocol graphql-transport-ws), and as Server-Sent Events to requests that accept text/event-stream',
        extensions: { code: 'BAD_REQUEST' },
      },
    ],
  });
  expect(world.contexts).toEqual([]);
});

test('a mutation over GET is refused', async () => {
  const { url, world } = await startGateway('in process');
  const query = 'mutation { renameInstance(id: "i1", name: "x") { id } }';
  const answer = await fetch(`${url}?query=${encodeURIComponent(query)}`, { headers: json });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('POST');
  expect(world.contexts).toEqual([]);
});

test('bodies that are too large, malformed or batches are refused', async () => {
  const { url, world } = await startGateway('in process');
  const large = await post(url, { query: '{ __typename }', variables: { x: 'x'.repeat(1024 * 1024) } });
  const malformed = await fetch(url, { method: 'POST', headers: json, body: '{"query": "{ __typename' });
  const batch = await post(url, [{ query: '{ instances { id } }' }]);
  expect([large.status, malformed.status, batch.status]).toEqual([413, 400, 400]);
  for (const answer of [large, malformed, batch]) {
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  }
  expect(world.contexts).toEqual([]);
});

test('browsers get GraphiQL, with everything it loads from this server', async () => {
  const { url } = await startGateway('in process');
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  const page = await fetch(url, { headers: { accept } });
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  const html = await page.text();
  const paths = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
  expect(paths).toHaveLength(5);

  // Modules name each other beside themselves.
  const seen = new Set(paths.map((path) => new URL(path, url).href));
  for (const asset of seen) {
    const answer = await fetch(asset);
    expect([asset, answer.status]).toEqual([asset, 200]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/(javascript|css)/);
    for (const [, path] of (await answer.text()).matchAll(/from '(\.[^']+)'/g))
      seen.add(new URL(path!, asset).href);
  }
  const names = [...seen].map((asset) => new URL(asset).pathname.replace('/graphiql/assets/', ''));
  expect(names).toEqual(expect.arrayContaining(['start.js', 'examples.js', 'graphql-ws/client.js']));
  expect((await fetch(new URL('/graphiql/assets/package.json', url))).status).toBe(404);
});

test('GraphiQL can be left out', async () => {
  const { url } = await startGateway('in process', { hasGraphiql: false });
  const page = await fetch(url, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(406);
});

test.each(['POST', 'GET'])(
  'a hash in the place of a query is told apart by Apollo clients: %s',
  async (method) => {
    const { url, world } = await startGateway('in process');
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'ab'.repeat(32) } };
    const send = (query?: string) => {
      const parts = { ...(query === undefined ? {} : { query }), extensions };
      if (method === 'POST') return post(url, parts);
      const search = Object.entries(parts).map(([name, part]) => [
        name,
        typeof part === 'string' ? part : JSON.stringify(part),
      ]);
      return fetch(`${url}?${new URLSearchParams(Object.fromEntries(search)).toString()}`, { headers: json });
    };
    const hashOnly = await send();
    expect([hashOnly.status, await hashOnly.json()]).toEqual([
      200,
      {
        errors: [
          { message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } },
        ],
      },
    ]);
    expect(world.contexts).toEqual([]);
    expect(await (await send('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
  },
);

test('addresses are understood as proxies write them', async () => {
  const { url } = await startGateway('in process', { trustProxy: 1 });
  for (const [written, address] of [
    ['192.0.2.1:51234', '192.0.2.1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['"192.0.2.1"', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['unknown', '127.0.0.1'],
    ['192.0.2.1:x', '127.0.0.1'],
    ['', '127.0.0.1'],
  ] as const) {
    const answer = await post(url, { query: '{ whoAmI { clientAddress } }' }, { 'x-forwarded-for': written });
    expect([written, await answer.json()]).toEqual([
      written,
      { data: { whoAmI: { clientAddress: address } } },
    ]);
  }
});

test('TRUST_PROXY is understood or refused, and nothing in between', () => {
  expect(['true', 'false', '0', '2'].map(parseTrustProxy)).toEqual([true, false, 0, 2]);
  expect(parseTrustProxy('10.0.0.0/8, 2001:db8::1')).toEqual(['10.0.0.0/8', '2001:db8::1']);
  expect(parseTrustProxy('loopback')).toEqual(['127.0.0.0/8', '::1/128']);
  expect(parseTrustProxy('uniquelocal,linklocal,192.0.2.1')).toHaveLength(7);
  for (const wrong of [
    'yes',
    'loopback,',
    '-1',
    '1.5',
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.example',
    '::1/129',
    'TRUE',
  ]) {
    expect(() => parseTrustProxy(wrong)).toThrow(/^must be true, false, a number of proxies, or addresses/);
  }
});
