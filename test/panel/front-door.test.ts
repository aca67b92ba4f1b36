import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { areaNames } from '#panel/areas.js';
import { demoAccounts } from '#panel/demo/seed.js';
import { panelEnv } from '#panel/env.js';
import { splitEnv } from '#panel/split-env.js';
import { longestBodyOfStrangers } from '#platform/client-data.js';
import { EnvError, readAll } from '#platform/env.js';
import { assetPath } from '#platform/package-root.js';
import { routes } from '#rest-compat/routes.js';

import { dataOf } from '../support/answers.js';
import { follow, samples } from '../support/guide.js';
import { modes, startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { ordinaryBeat, Tenant, until, type Tokens } from '../support/world.js';

const dashboards = 'https://dashboards.example.com';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({
    CORS_ORIGINS: `${dashboards}, http://localhost:5173`,
    KEEP_ALIVE_SECONDS: '90',
    ALLOW_PRIVATE_TARGETS: '127.0.0.1',
  });
});
afterAll(async () => panel.stop());

/** Sends bytes as they are and answers all that comes until the panel ends the connection. */
async function raw(text: string, url: string = panel.panel.url): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
  return answer;
}

test.each([
  ['a GET', 'GET /healthz', ''],
  ['a POST with its body', 'POST /graphql', '{"query":"{ __typename }"}'],
])('an offer to go on in h2c is declined by an answer over HTTP/1.1: %s', async (_, line, body) => {
  const answer = await raw(
    `${line} HTTP/1.1\r\nHost: panel\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
      'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
  expect(answer).toContain(body === '' ? '{"status":"ok"}' : '{"data":{"__typename":"Query"}}');
});

test('idle connections are kept for as long as is told', async () => {
  const { headers } = await panel.world.rest('/healthz');
  expect(headers.get('keep-alive')).toBe('timeout=90');
});

test('pages of listed origins may call the API, without credentials, and read what it says in headers', async () => {
  const preflight = (origin: string, path: string) =>
    panel.world.rest(path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization, content-type, idempotency-key',
      },
    });
  for (const path of ['/graphql', '/api/auth/profile']) {
    const { status, headers } = await preflight(dashboards, path);
    expect({
      status,
      origin: headers.get('access-control-allow-origin'),
      methods: headers.get('access-control-allow-methods'),
      headers: headers.get('access-control-allow-headers'),
      credentials: headers.get('access-control-allow-credentials'),
      limit: headers.get('x-ratelimit-limit'),
    }).toEqual({
      status: 204,
      origin: dashboards,
      methods: 'GET,HEAD,POST,PUT,PATCH,DELETE',
      headers: 'authorization, content-type, idempotency-key',
      credentials: null,
      // Asking whether one may ask is free.
      limit: null,
    });
    expect(headers.get('vary')).toContain('Origin');
  }
  const tenant = await panel.world.tenant();
  const list = await tenant.rest('/api/fleet/instances?limit=1', {
    headers: { origin: 'http://localhost:5173' },
  });
  expect(list.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  const exposed = list.headers.get('access-control-expose-headers')!.toLowerCase().split(',');
  const ofRoutes = routes.flatMap(({ headers = {} }) => Object.values(headers));
  expect(ofRoutes).toContain('X-Pending-Email');
  const ofAll = ['X-Total-Count', 'X-RateLimit-Remaining', 'X-Request-Id', 'Retry-After', 'Link', 'Allow'];
  for (const name of [...ofRoutes, ...ofAll, 'X-Error-Reason']) expect(exposed).toContain(name.toLowerCase());
  const refused = await panel.world.rest('/api/fleet/instances', { headers: { origin: dashboards } });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, dashboards]);
});

test('pages of other origins may not, and other paths are nobody’s', async () => {
  for (const origin of ['https://evil.example', 'https://dashboards.example.com.evil.example', 'null']) {
    const { headers } = await panel.world.rest('/graphql', {
      body: { query: '{ __typename }' },
      headers: { origin },
    });
    expect([origin, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
      origin,
      null,
      expect.stringContaining('Origin'),
    ]);
  }
  const page = await panel.world.rest('/healthz', { headers: { origin: dashboards } });
  expect(page.headers.get('access-control-allow-origin')).toBeNull();
  // What a route allows is for the route to say.
  const options = await panel.world.rest('/api/fleet/summary', { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
});

test('no error is a page of Express', async () => {
  for (const path of [
    '/%zz',
    '/oauth/%E0%A4%A',
    '/setup/%',
    '/.well-known/%ff',
    '/graphql/assets/%2e%2e%2f%zz',
  ]) {
    const answer = await panel.world.rest(path, { headers: { accept: 'text/html' } });
    expect([path, answer.text]).toEqual([path, expect.not.stringMatching(/<pre>|node_modules|at .*\.js/)]);
    expect([path, answer.status]).toEqual([
      path,
      expect.toSatisfy((status: number) => status >= 400 && status < 500),
    ]);
  }
  const nonsense = await raw('GET / HTTP/1.1\r\nHost: x\r\nbroken header\r\n\r\n');
  expect(nonsense).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
});

test.each(modes)(
  'no request line, whatever stands in it, ends a process or goes without an answer: %s',
  async (mode) => {
    await using split = mode === 'split' ? await startTestPanel({}, mode) : undefined;
    const { url, subgraphs } = (split ?? panel).panel;
    const addresses = Object.values<{ url: string }>(subgraphs ?? {}).map((subgraph) => subgraph.url);
    const ask = async (of: string, target: string) => {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: panel\r\nConnection: close\r\n\r\n`, of);
      return { status: Number(answer.split(' ')[1]), body: answer.split('\r\n\r\n')[1] };
    };
    const odd = ['http://[/', 'http://', 'http://[::1/', 'http://xn--/api', 'http://[/api/fleet/summary'];
    // Node takes one of them for an address, of a path that there is not.
    const isRefused = expect.toSatisfy((status: number) => status === 400 || status === 404);
    for (const target of odd) {
      expect([target, await ask(url, target)]).toEqual([
        target,
        { status: isRefused, body: expect.stringMatching(/^\{"error":"[^"]*"\}$/) },
      ]);
      for (const address of addresses)
        expect([target, (await ask(address, target)).status]).toEqual([target, isRefused]);
    }
    // What proxies may send.
    expect(await ask(url, 'http://panel/api/fleet/summary')).toMatchObject({ status: 401 });
    for (const of of [url, ...addresses]) expect(await ask(of, '/healthz')).toMatchObject({ status: 200 });
  },
  60_000,
);

test('of whoever has no valid token nothing long is read, and they are told to sign in', async () => {
  const password = 'x'.repeat(longestBodyOfStrangers);
  const login = await panel.world.rest('/api/auth/login', { body: { email: 'a@b.example', password } });
  expect([login.status, login.body]).toEqual([
    413,
    { error: 'The body is larger than 64 KiB, the most without a valid token' },
  ]);
  const graphql = await panel.world.rest('/graphql', {
    body: { query: '{ __typename }', variables: { password } },
  });
  expect([graphql.status, graphql.body]).toEqual([
    413,
    {
      errors: [
        {
          message: 'Without a valid token a request body has at most 64 KiB',
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    },
  ]);
  const members = await (
    await panel.world.tenant()
  ).rest('/graphql', {
    body: { query: '{ __typename }', variables: { password } },
  });
  expect(members.body).toEqual({ data: { __typename: 'Query' } });
});

test('a token that has ended is the reason, however long the document that came with it', async () => {
  const tenant = await panel.world.tenant();
  const query = `{ me { id } } #${'x'.repeat(9_000)}`;
  expect(await tenant.graphql(query)).toEqual({ data: { me: { id: tenant.user.id } } });
  const { errors } = await panel.world.graphql(`${query}y`, {}, 'no.valid.token');
  expect(errors?.map(({ extensions }) => [extensions['code'], extensions['reason']])).toEqual([
    ['UNAUTHENTICATED', 'TOKEN_INVALID'],
  ]);
});

const problemsOf = (settings: Record<string, string>): readonly string[] => {
  try {
    readAll({ panel: panelEnv, split: splitEnv }, { ...others, ...settings });
  } catch (error) {
    if (error instanceof EnvError) return error.problems;
  }
  return [];
};
const others = {
  PUBLIC_URL: 'https://panel.example.com/',
  SECRETS_KEY: testSecretsKey,
  ...Object.fromEntries(areaNames.map((name) => [`${name.toUpperCase()}_URL`, `http://${name}:4001`])),
};

test('who follows the guides in order from a demo is refused nothing', async ({ skip }) => {
  if (spawnSync('curl', ['--version']).status !== 0) return skip('curl is not on this machine');
  const { world } = panel;
  const { owner } = demoAccounts;
  const registered = await world.rest<Tokens>('/api/auth/register', { body: owner });
  const tenant = await new Tenant(world, owner, registered.body).grantPlan('PRO');
  const enrolled = await world.rest<{ credential: string }>('/api/agent/enroll', {
    body: {
      token: await tenant.enrollmentToken({ tags: ['demo'] }),
      name: 'production-01',
      hostname: 'cloud.example.com',
      version: '0.2.9',
    },
  });
  await world.rest('/api/agent/heartbeat', { token: enrolled.body.credential, body: ordinaryBeat });
  await until(
    async () => (await panel.sql('select from governance.node where tenant_id = $1', [tenant.id])).length > 0,
    'governance to know the node',
  );

  // Streams do not end, and time is moved in the demo only.
  const shell = samples('clients.md', 'sh').filter((sample) => !/curl -N|advanceTestClock/.test(sample));
  const answers = await follow(shell, panel.panel.url);
  // What failed is sent again where something has: the sample of that has nothing to do here.
  const [preview, , override, deployments, gitOps] = [
    ...samples('clients.md', 'graphql'),
    ...samples('gitops.md', 'graphql'),
  ];
  const variables = JSON.parse(samples('clients.md', 'json')[0]!) as Record<string, unknown>;
  answers.push(await tenant.graphql(preview!, variables));
  const { createInstanceGroup: group } = dataOf(
    await tenant.graphql<{ createInstanceGroup: { id: string } }>(
      'mutation { createInstanceGroup(input: { name: "Builds", kind: LIVE, filter: { tags: ["build"] } }) { id } }',
    ),
  );
  answers.push(await tenant.graphql(override!.replace('grp_...', group.id)));
  // No test asks a host of others.
  answers.push(await tenant.graphql(gitOps!.replace('github.com', '127.0.0.1')));
  expect(answers).toHaveLength(8);
  // There is no cluster here: see test/hosting.
  const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
  expect(validate(schema, parse(deployments!))).toEqual([]);
  const refused = answers.filter((answer) => /"(error|errors|warnings)":/.test(JSON.stringify(answer)));
  expect(refused).toEqual([]);
}, 120_000);

test('settings that could not work are refused before anything starts, all at once', () => {
  expect(problemsOf({})).toEqual([]);
  expect(
    problemsOf({
      PUBLIC_URL: 'https://example.com/panel',
      TRUST_PROXY: 'loopback,',
      CORS_ORIGINS: '*',
      KEEP_ALIVE_SECONDS: '0',
    }),
  ).toEqual([
    'PUBLIC_URL: must be http(s)://host or http(s)://host:port without a path: the panel needs a host name of its own',
    expect.stringMatching(/^TRUST_PROXY: must be true, false, a number .*; "" is none of these$/),
    expect.stringMatching(/^CORS_ORIGINS: must be origins such as .*; "\*" is none$/),
    expect.stringMatching(/^KEEP_ALIVE_SECONDS: /),
  ]);
  for (const PUBLIC_URL of [
    'ftp://example.com',
    'https://user@example.com',
    'https://example.com/?a',
    'https://example.com#a',
  ])
    expect([PUBLIC_URL, problemsOf({ PUBLIC_URL })]).toEqual([
      PUBLIC_URL,
      [expect.stringContaining('PUBLIC_URL')],
    ]);
});
