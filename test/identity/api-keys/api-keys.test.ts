import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';

const day = 24 * 60 * 60 * 1000;

interface Created {
  key: string;
  apiKey: { id: string; prefix: string; permissions: string[]; expiresAt: string; lastUsedAt: string | null };
}

describe.each(modes)('%s', (mode) => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({}, mode);
  });
  afterAll(async () => panel.stop());

  const create = async (token: string | undefined, input: Record<string, unknown>) =>
    panel.world.graphql<{ createApiKey: Created }>(
      `mutation($input: CreateApiKeyInput!) {
        createApiKey(input: $input) { key apiKey { id prefix permissions expiresAt lastUsedAt } }
      }`,
      { input: { name: 'CI', currentPassword: 'correct horse battery', ...input } },
      token,
    );

  const keyOf = async (tenant: Tenant, ...permissions: string[]): Promise<Created> =>
    dataOf(await create(tenant.token, { permissions })).createApiKey;

  const revoke = async (token: string, id: string) =>
    panel.world.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }', { id }, token);

  test.concurrent('a key does what it lists, over REST and GraphQL, and nothing else', async () => {
    const tenant = await panel.world.tenant();
    await tenant.node('seen-by-key');
    const { key, apiKey } = await keyOf(tenant, 'fleet.instance.read');
    expect(key).toMatch(/^qcp_[\w-]{43}$/);
    expect(apiKey).toEqual({
      id: expect.stringMatching(/^apk_/),
      prefix: key.slice(0, 12),
      permissions: ['fleet.instance.read'],
      expiresAt: new Date(panel.clock.now().getTime() + 90 * day).toISOString(),
      lastUsedAt: null,
    });
    const list = await panel.world.rest<{ name: string }[]>('/api/fleet/instances', { token: key });
    expect([list.status, list.body.map(({ name }) => name)]).toEqual([200, ['seen-by-key']]);
    const summary = await panel.world.graphql('{ instances { totalCount } }', {}, key);
    expect(dataOf(summary)).toEqual({ instances: { totalCount: 1 } });
    const forbidden = await panel.world.rest('/api/fleet/tokens', { token: key, body: { name: 'x' } });
    expect(forbidden.status).toBe(403);
    expect(refusal(await panel.world.graphql('{ me { id } }', {}, key))).toMatchObject({ code: 'FORBIDDEN' });
    expect(refusal(await create(key, { permissions: ['fleet.instance.read'] }))).toMatchObject({
      code: 'FORBIDDEN',
    });
    const keys = dataOf(
      await tenant.graphql<{ apiKeys: { nodes: object[] } }>(
        '{ apiKeys { nodes { id lastUsedAt } totalCount } }',
      ),
    );
    expect(keys.apiKeys).toEqual({
      nodes: [{ id: apiKey.id, lastUsedAt: panel.clock.now().toISOString() }],
      totalCount: 1,
    });
    const one = (by: Tenant) =>
      by.graphql('query($id: ID!) { apiKey(id: $id) { prefix createdBy } }', { id: apiKey.id });
    expect(dataOf(await one(tenant))).toEqual({
      apiKey: { prefix: apiKey.prefix, createdBy: tenant.user.id },
    });
    expect(refusal(await one(await panel.world.tenant()))).toEqual({ code: 'NOT_FOUND' });
    const rows = await panel.sql('select * from identity.api_key where id = $1', [apiKey.id]);
    expect(JSON.stringify(rows)).not.toContain(key.slice(12));
  });

  test.concurrent('what a key changes is in the trail under its id', async () => {
    const tenant = await panel.world.tenant();
    const { key, apiKey } = await keyOf(tenant, 'fleet.token.create', 'fleet.token.read');
    expect(
      (await panel.world.rest('/api/fleet/tokens', { token: key, body: { name: 'by key' } })).status,
    ).toBe(201);
    expect(await entryOf(tenant, 'createEnrollmentToken')).toMatchObject({
      actor: apiKey.id,
      actorKind: 'api-key',
    });
  });

  test.concurrent('nobody gives a key more than they have, or what only people may do', async () => {
    const tenant = await panel.world.tenant();
    const refused = async (permission: string) => {
      expect(
        refusal(await create(tenant.token, { permissions: ['fleet.instance.read', permission] })),
      ).toEqual({
        code: 'VALIDATION_FAILED',
        details: { 'input.permissions': `${permission} is not a permission that you can give` },
      });
    };
    for (const permission of [
      'nonsense',
      'identity.plan.grant',
      'identity.api-key.manage',
      'identity.api-key.exchange',
      'identity.member.manage',
      'identity.account.manage',
      'identity.organization.export',
      'identity.organization.close',
      'fleet.heartbeat.report',
    ]) {
      await refused(permission);
    }
    const answer = await tenant.graphql<{ apiKeyPermissions: string[] }>('{ apiKeyPermissions }');
    expect(dataOf(answer).apiKeyPermissions).toEqual(
      expect.arrayContaining(['fleet.instance.read', 'fleet.token.create', 'identity.audit.read']),
    );
    expect(
      refusal(
        await create(tenant.token, {
          permissions: ['no.such'],
          expiresInDays: 366,
          name: '',
          currentPassword: '',
        }),
      ),
    ).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.name': 'Name is required',
        'input.permissions': 'no.such is not a permission that you can give',
        'input.expiresInDays': 'It may work for at most 365 days',
        'input.currentPassword': 'Current password is required',
      },
    });
    for (const currentPassword of ['', 'a guess']) {
      const guessed = refusal(
        await create(tenant.token, { permissions: ['fleet.instance.read'], currentPassword }),
      );
      expect(Object.keys(guessed['details'] as object)).toEqual(['input.currentPassword']);
    }
    const operator = await tokenInRole(panel, tenant, 'OPERATOR');
    expect(refusal(await create(operator, { permissions: ['fleet.instance.read'] }))).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(refusal(await create(undefined, { permissions: ['fleet.instance.read'] }))).toEqual({
      code: 'UNAUTHENTICATED',
    });
  });

  test.concurrent('a revoked key is refused within seconds, also on a socket that it opened', async () => {
    const tenant = await panel.world.tenant();
    const other = await panel.world.tenant();
    const { key, apiKey } = await keyOf(tenant, 'fleet.instance.read');
    const status = async () => (await panel.world.rest('/api/fleet/instances', { token: key })).status;
    await using live = new Live(panel.panel.url, key, 'subscription { instanceChanged { name } }');
    await live.opened();
    await tenant.node('before');
    await live.received(1);
    expect(live.results[0]!.data).toEqual({ instanceChanged: { name: 'before' } });
    expect(await status()).toBe(200);
    expect(refusal(await revoke(other.token, apiKey.id))).toEqual({ code: 'NOT_FOUND' });
    for (let times = 0; times < 2; times += 1) {
      expect(dataOf(await revoke(tenant.token, apiKey.id))).toEqual({
        revokeApiKey: { id: apiKey.id, revokedAt: panel.clock.now().toISOString() },
      });
    }
    await until(async () => (await status()) === 401, 'the refusal', 3_000);
    await tenant.node('after');
    await until(async () => live.error !== undefined || live.results.length > 1, 'the socket to hear of it');
    expect(
      live.results.filter(({ data }) => (data?.['instanceChanged'] as { name?: string })?.name === 'after'),
    ).toEqual([]);
  });

  test.concurrent('a key that is none is refused', async () => {
    for (const token of ['qcp_short', `qcp_${'A'.repeat(43)}`, 'qcp_']) {
      expect((await panel.world.rest('/api/fleet/instances', { token })).status).toBe(401);
    }
  });

  test.concurrent('the exchange is not for clients', async () => {
    const tenant = await panel.world.tenant();
    const { key } = await keyOf(tenant, 'fleet.instance.read');
    const mutation = 'mutation($input: ExchangeApiKeyInput!) { exchangeApiKey(input: $input) { token } }';
    const missing = { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' };
    expect(refusal(await tenant.graphql(mutation, { input: { key } }))).toEqual(missing);
    expect(refusal(await panel.world.graphql(mutation, { input: { key } }, key))).toEqual(missing);
    expect(refusal(await panel.world.graphql(mutation, { input: { key } }))).toEqual({
      code: 'UNAUTHENTICATED',
    });
  });
});

test('a key ends by itself, works past the minute of its token until then, and its use is noted by the minute', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const answer = await tenant.graphql<{ createApiKey: Created }>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }',
    {
      input: {
        name: 'short',
        permissions: ['fleet.instance.read', 'identity.audit.read'],
        expiresInDays: 1,
        currentPassword: tenant.account.password,
      },
    },
  );
  const { key } = dataOf(answer).createApiKey;
  const status = async () => (await panel.world.rest('/api/fleet/instances', { token: key })).status;
  const lastUsed = async () => {
    const [row] = await panel.sql<{ last_used_at: Date }>('select last_used_at from identity.api_key');
    return row!.last_used_at.getTime();
  };
  expect(await status()).toBe(200);
  const first = await lastUsed();
  await panel.clock.advance(30_000);
  expect(await status()).toBe(200);
  expect(await lastUsed()).toBe(first);
  await panel.clock.advance(45_000);
  expect(await status()).toBe(200);
  expect(await lastUsed()).toBe(first + 75_000);
  expect((await panel.world.rest('/audit/export', { token: key })).status).toBe(200);
  await panel.clock.leap(day - 76_000);
  expect(await status()).toBe(200);
  await panel.clock.advance(2_000);
  expect(await status()).toBe(401);
});

test('a list goes on for as long as it takes, past the minute that a token of the key lasts', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const first = await tenant.node();
  // Far more to a page than sockets hold: who reads nothing lets no further one be fetched.
  await panel.sql(
    `insert into fleet.instance
     select (jsonb_populate_record(i, jsonb_build_object('id', i.id || '_' || n, 'hostname', n || '.' || i.hostname,
       'name', repeat('x', 20000)))).* from fleet.instance i, generate_series(1, 1499) n where i.id = $1`,
    [first.id],
  );
  const answered = await tenant.graphql<{ createApiKey: Created }>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    {
      input: { name: 'slow', permissions: ['fleet.instance.read'], currentPassword: tenant.account.password },
    },
  );
  const { key } = dataOf(answered).createApiKey;
  const request = get(`${panel.panel.url}/api/fleet/instances`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  await once(answer, 'readable');
  await panel.clock.advance(61_000);
  const nodes = JSON.parse(await text(answer)) as unknown[];
  expect(nodes).toHaveLength(1_500);
});
