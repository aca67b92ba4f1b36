import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { GraphQLAnswer } from '../support/world.js';

const limit = 100;

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ RATE_LIMIT_PER_MINUTE: String(limit) });
});
afterAll(async () => panel.stop());

const allowance = (headers: Headers) => ({
  limit: Number(headers.get('x-ratelimit-limit')),
  remaining: Number(headers.get('x-ratelimit-remaining')),
});

test('every answer tells the allowance, and exactly the allowed number of requests pass, REST and GraphQL together', async () => {
  const tenant = await panel.world.tenant();
  const now = Date.now() / 1000;
  const answers = await Promise.all(
    Array.from({ length: limit + 10 }, async (_, index) =>
      index % 2 === 0
        ? tenant.rest('/api/fleet/summary')
        : tenant.rest('/graphql', { body: { query: '{ __typename }' } }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect({
    passed: statuses.filter((status) => status === 200).length,
    refused: statuses.filter((status) => status === 429).length,
  }).toEqual({ passed: limit, refused: 10 });
  for (const { headers, status } of answers) {
    expect(Number(headers.get('x-ratelimit-limit'))).toBe(limit);
    expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThanOrEqual(Math.floor(now));
    expect(Number(headers.get('x-ratelimit-reset'))).toBeLessThanOrEqual(now + 62);
    expect(headers.has('retry-after')).toBe(status === 429);
  }
  expect(answers.map(({ headers }) => allowance(headers).remaining).toSorted((a, b) => a - b)[0]).toBe(0);
  const rest = await tenant.rest('/api/fleet/summary');
  expect({ status: rest.status, body: rest.body }).toEqual({
    status: 429,
    body: { error: `More than ${limit} requests in a minute` },
  });
  const graphql = await tenant.graphql('{ __typename }');
  expect(graphql.errors?.[0]?.extensions['code']).toBe('RATE_LIMITED');
});

test("one tenant's spent allowance is no other's, and beats draw on their node's own", async () => {
  const [busy, calm] = [await panel.world.tenant(), await panel.world.tenant()];
  const node = await busy.node();
  await Promise.all(Array.from({ length: limit }, async () => busy.rest('/api/fleet/summary')));
  expect((await busy.rest('/api/fleet/summary')).status).toBe(429);
  expect((await calm.rest('/api/fleet/summary')).status).toBe(200);
  const beat = await node.beat();
  expect({ status: beat.status, ...allowance(beat.headers) }).toEqual({
    status: 200,
    limit,
    remaining: limit - 1,
  });
});

test('a refused token, an unknown path and a wrong method carry the headers too', async () => {
  const tenant = await panel.world.tenant();
  const answers = [
    await panel.world.rest('/api/fleet/summary', { token: 'x.y.z' }),
    await tenant.rest('/api/nowhere'),
    await tenant.rest('/api/fleet/summary', { method: 'DELETE' }),
  ];
  expect(answers.map(({ status, headers }) => [status, allowance(headers).limit])).toEqual([
    [401, limit],
    [404, limit],
    [405, limit],
  ]);
});

test('an operation pays for each of its root fields, and more for what is much work', async () => {
  const tenant = await panel.world.tenant();
  const query = '{ a: fleetSummary { healthy } b: fleetSummary { healthy } c: fleetSummary { healthy } }';
  const answer = await tenant.rest('/graphql', { body: { query } });
  expect(allowance(answer.headers).remaining).toBe(limit - 3);
  const preview = '{ previewCommand(input: { command: RESTART, tags: ["none"] }) { total } }';
  const foreseen = await tenant.rest('/graphql', { body: { query: preview } });
  expect(allowance(foreseen.headers).remaining).toBe(limit - 6);
  const verified = await tenant.rest('/graphql', { body: { query: '{ verifyAudit { isIntact } }' } });
  expect(allowance(verified.headers).remaining).toBe(Math.max(0, limit - 26));
});

test('pages in pages pay by the entries that they may have, and are refused from 100000 on', async () => {
  const tenant = await panel.world.tenant();
  const query = `query ($groups: Int, $instances: Int = 100) {
    instanceGroups(first: $groups) { nodes { instances(first: $instances) { nodes { id activeAlerts { id } } } } }
  }`;
  const asked = async (variables: Record<string, unknown>) =>
    tenant.rest<GraphQLAnswer>('/graphql', { body: { query, variables } });
  const page = await asked({ groups: 12 });
  expect(page.body.errors).toBeUndefined();
  expect(allowance(page.headers).remaining).toBe(limit - 1);
  const pages = await asked({ groups: 50, instances: 50 });
  expect(pages.body.errors).toBeUndefined();
  expect(allowance(pages.headers).remaining).toBe(limit - 1 - 3);
  const refused = await asked({ groups: 500, instances: 500 });
  expect(refused.body).toEqual({
    errors: [
      expect.objectContaining({
        message:
          'The document has more than 100000 entries of lists: 500500, if all pages are full. Ask for fewer with first',
        extensions: expect.objectContaining({
          code: 'BAD_REQUEST',
          reason: 'DOCUMENT_TOO_COMPLEX',
          details: { limit: 'nodes' },
        }),
      }),
    ],
  });
  expect(allowance(refused.headers).remaining).toBe(limit - 1 - 3 - 1);
});

test('guesses at secrets draw on a tenth of the allowance, by address, over REST and GraphQL alike', async () => {
  const guess = { email: 'nobody@example.com', password: 'wrong password' };
  const statuses: number[] = [];
  for (let attempt = 0; attempt < limit; attempt += 1) {
    const answer = await panel.world.rest('/api/auth/login', { body: guess });
    statuses.push(answer.status);
    if (answer.status === 429) break;
  }
  expect(statuses.at(-1)).toBe(429);
  const graphql = await panel.world.rest<{ errors: { extensions: { code: string } }[] }>('/graphql', {
    body: {
      query: 'mutation($input: LoginInput!) { login(input: $input) { expiresIn } }',
      variables: { input: guess },
    },
  });
  expect({ status: graphql.status, code: graphql.body.errors[0]?.extensions.code }).toEqual({
    status: 429,
    code: 'RATE_LIMITED',
  });
});
