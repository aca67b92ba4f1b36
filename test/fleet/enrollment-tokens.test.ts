import { createHash } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const hour = 60 * 60 * 1000;
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const later = (hours: number) => restTime(new Date(panel.clock.now().getTime() + hours * hour));

test.concurrent('a token is answered with its secret, for a day and any number of nodes unless told', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.rest('/api/fleet/tokens', { body: { name: ' rack 1 ' } });
  expect([answer.status, answer.body]).toEqual([
    201,
    { token: expect.stringMatching(/^flt_[\w-]{43}$/), name: 'rack 1', expires_at: later(24) },
  ]);
  const listed = await tenant.rest<unknown[]>('/api/fleet/tokens');
  expect(listed.body).toEqual([
    {
      id: expect.stringMatching(/^etk_[0-9a-z]{26}$/),
      name: 'rack 1',
      prefix: String(answer.body.token).slice(0, 12),
      tags: [],
      max_uses: null,
      uses: 0,
      expires_at: later(24),
      created_at: later(0),
      revoked_at: null,
      last_used_at: null,
    },
  ]);
});

test.concurrent('only the hash of a token is kept', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken();
  const rows = await panel.sql(
    'select token_hash, prefix, to_jsonb(t)::text as whole from fleet.enrollment_token t where tenant_id = $1',
    [tenant.id],
  );
  expect(rows).toEqual([
    {
      token_hash: hash(token),
      prefix: token.slice(0, 12),
      whole: expect.not.stringContaining(token.slice(12)),
    },
  ]);
  const written = await panel.sql('select payload::text from fleet.outbox where tenant_id = $1', [tenant.id]);
  expect(JSON.stringify(written)).not.toContain(token.slice(0, 12));
});

test.concurrent('the secret of a token is never shown again', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken();
  const { text } = await tenant.rest('/api/fleet/tokens');
  expect(text).toContain(token.slice(0, 12));
  expect(text).not.toContain(token.slice(12));
  const asked = await tenant.graphql('{ enrollmentTokens { nodes { token } } }');
  expect(refusal(asked)).toEqual({ code: 'BAD_REQUEST' });
});

test.concurrent('a token holds what it was asked to hold, each tag once', async () => {
  const tenant = await panel.world.tenant();
  await tenant.rest('/api/fleet/tokens', {
    body: { name: 'rack 2', expires_in_hours: 2, max_uses: 5, tags: ['eu', 'prod', 'eu'] },
  });
  const { body } = await tenant.rest<unknown[]>('/api/fleet/tokens');
  expect(body).toEqual([
    expect.objectContaining({ name: 'rack 2', expires_at: later(2), max_uses: 5, tags: ['eu', 'prod'] }),
  ]);
});

test.concurrent('asking twice for a token makes two', async () => {
  const tenant = await panel.world.tenant();
  const first = await tenant.enrollmentToken();
  const second = await tenant.enrollmentToken();
  expect(second).not.toBe(first);
  const { body } = await tenant.rest<{ prefix: string }[]>('/api/fleet/tokens');
  expect(body.map(({ prefix }) => prefix)).toEqual([first.slice(0, 12), second.slice(0, 12)]);
});

test.concurrent('every field that breaks a rule is named', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.rest('/api/fleet/tokens', {
    body: { name: ' ', expires_in_hours: 8761, max_uses: 0, tags: ['fine', 'Not fine'] },
  });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        name: 'Name is required',
        expires_in_hours: 'Expires in hours must be from 1 to 8760',
        max_uses: 'Max uses must be from 1 to 100000',
        'tags.1': 'A tag has 1 to 64 of a-z, 0-9, ".", "_", ":" and "-"',
      },
    },
  ]);
  expect((await tenant.rest('/api/fleet/tokens')).body).toEqual([]);
});

test.concurrent('text that PostgreSQL cannot hold is bad input over GraphQL too', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.graphql(
    'mutation { createEnrollmentToken(input: { name: "a\\u0000b" }) { name } }',
  );
  expect(refusal(answer)).toMatchObject({ code: expect.stringMatching(/^(VALIDATION_FAILED|BAD_REQUEST)$/) });
});

test.concurrent('a revoked token stays listed, and revoking it again changes nothing', async () => {
  const tenant = await panel.world.tenant();
  await tenant.enrollmentToken();
  const [token] = (await tenant.rest<{ id: string }[]>('/api/fleet/tokens')).body;
  const path = `/api/fleet/tokens/${token!.id}`;
  expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
  const once = await tenant.rest<unknown[]>('/api/fleet/tokens');
  expect(once.body).toEqual([{ ...token, revoked_at: expect.any(String), revoked_reason: 'revoked' }]);
  expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
  expect((await tenant.rest('/api/fleet/tokens')).body).toEqual(once.body);
});

test.concurrent('tokens are listed by whether nodes can come in by them', async () => {
  const tenant = await panel.world.tenant();
  for (const name of ['revoked', 'expired', 'used up', 'open', 'used once']) {
    await tenant.enrollmentToken({ name, max_uses: name.startsWith('used') ? 2 : null });
  }
  const set = async (name: string, column: string, value: unknown) =>
    panel.sql(`update fleet.enrollment_token set ${column} = $3 where tenant_id = $1 and name = $2`, [
      tenant.id,
      name,
      value,
    ]);
  await set('revoked', 'revoked_at', later(0));
  await set('expired', 'expires_at', later(-1));
  await set('used up', 'uses', 2);
  await set('used once', 'uses', 1);
  const names = async (isOpen: boolean | null) => {
    const { enrollmentTokens } = dataOf(
      await tenant.graphql<{ enrollmentTokens: { totalCount: number; nodes: { name: string }[] } }>(
        'query ($isOpen: Boolean) { enrollmentTokens(filter: { isOpen: $isOpen }) { totalCount nodes { name } } }',
        { isOpen },
      ),
    );
    expect(enrollmentTokens.totalCount).toBe(enrollmentTokens.nodes.length);
    return enrollmentTokens.nodes.map(({ name }) => name);
  };
  expect(await names(true)).toEqual(['open', 'used once']);
  expect(await names(false)).toEqual(['revoked', 'expired', 'used up']);
  expect(await names(null)).toHaveLength(5);
});

test.concurrent('a token of another tenant is not found, and stays in force', async () => {
  const [owner, stranger] = await Promise.all([panel.world.tenant(), panel.world.tenant()]);
  await owner.enrollmentToken();
  const [token] = (await owner.rest<{ id: string }[]>('/api/fleet/tokens')).body;
  const unknown = 'etk_01h455vb4pex5vsknk084sn02q';
  for (const id of [token!.id, unknown]) {
    const answer = await stranger.rest(`/api/fleet/tokens/${id}`, { method: 'DELETE' });
    expect([answer.status, answer.body]).toEqual([404, { error: 'Enrollment token not found' }]);
  }
  expect((await owner.rest('/api/fleet/tokens')).body).toEqual([token]);
  expect((await stranger.rest('/api/fleet/tokens')).body).toEqual([]);
});

test.concurrent.for(['BILLING', 'VIEWER'] as const)(
  'the role %s neither sees nor changes tokens',
  async (role) => {
    const tenant = await panel.world.tenant();
    await tenant.enrollmentToken();
    const [{ id }] = (await tenant.rest<[{ id: string }]>('/api/fleet/tokens')).body;
    const token = await tokenInRole(panel, tenant, role);
    const answers = [
      await tenant.rest('/api/fleet/tokens', { token, body: { name: 'mine' } }),
      await tenant.rest('/api/fleet/tokens', { token }),
      await tenant.rest(`/api/fleet/tokens/${id}`, { token, method: 'DELETE' }),
    ];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [403, { error: expect.stringContaining('fleet.token.create') }],
      [403, { error: expect.stringContaining('fleet.token.read') }],
      [403, { error: expect.stringContaining('fleet.token.revoke') }],
    ]);
    const rows = await panel.sql(
      'select id from fleet.enrollment_token where tenant_id = $1 and revoked_at is null',
      [tenant.id],
    );
    expect(rows).toEqual([{ id }]);
  },
);

test.concurrent('neither a node nor a caller without a token gets at tokens', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const answers = [
    await tenant.rest('/api/fleet/tokens', { token: node.credential }),
    await tenant.rest('/api/fleet/tokens', { token: undefined }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 401]);
});

test.concurrent('a token is forgotten 90 days after it would have expired', async () => {
  const tenant = await panel.world.tenant();
  for (const days of [89, 91]) {
    await tenant.enrollmentToken({ name: `${days}` });
    await panel.sql(`update fleet.enrollment_token set expires_at = $2 where tenant_id = $1 and name = $3`, [
      tenant.id,
      later(-24 * days),
      `${days}`,
    ]);
  }
  const names = async () =>
    (await tenant.rest<{ name: string }[]>('/api/fleet/tokens')).body.map(({ name }) => name);
  await until(async () => {
    await panel.clock.advance(60_000);
    return (await names()).length === 1;
  }, 'the older one to be forgotten');
  expect(await names()).toEqual(['89']);
});
