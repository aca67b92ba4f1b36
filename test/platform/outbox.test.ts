import { readFileSync } from 'node:fs';

import { buildSchema } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { Tenant } from '../support/world.js';

let panel: TestPanel;
let administrator: string;
beforeAll(async () => {
  panel = await startTestPanel();
  administrator = await panel.world.administrator();
});
afterAll(async () => panel.stop());

interface Recorded {
  entity_id: string;
  payload: { action: string; input: unknown; [detail: string]: unknown };
  caused_by: string;
  xid: string;
}

const auditTopic = 'audit.mutation.recorded';

/** The audit rows of a tenant in one subgraph, oldest first. */
async function recorded(area: 'identity' | 'fleet', tenantId: string): Promise<Recorded[]> {
  return panel.sql<Recorded>(
    `select entity_id, payload, caused_by, xid::text from ${area}.outbox
     where tenant_id = $1 and topic = '${auditTopic}' order by xid, id`,
    [tenantId],
  );
}

/** The number of the transaction that wrote a row last, as the outbox tells its own. */
async function writtenBy(table: string, where: string, values: unknown[]): Promise<string[]> {
  const rows = await panel.sql<{ xid: string }>(`select xmin::text as xid from ${table} where ${where}`, values);
  return rows.map(({ xid }) => xid);
}

/** Every secret that a scenario below has seen or sent. */
const secrets = new Set<string>(['administrator-password', 'correct horse battery']);

const rest = async (path: string, token: string | undefined, body: Record<string, unknown>, method = 'POST') =>
  panel.world.rest(path, { method, token, headers: { 'x-request-id': `request-${path}` }, ...(method === 'DELETE' ? {} : { body }) });

/** What each mutation leaves behind. A new mutation has to be added here. */
const scenarios: Record<
  string,
  (tenant: Tenant) => Promise<{ area: 'identity' | 'fleet'; audit: unknown; row: string; where: string; key: unknown }>
> = {
  async register() {
    const email = 'audited@outbox.example';
    const answer = await rest('/api/auth/register', undefined, {
      email,
      password: 'a password to be hidden',
      name: 'Audited',
    });
    secrets.add('a password to be hidden').add(String(answer.body.refresh_token)).add(String(answer.body.access_token));
    const user = answer.body.user as { id: string; tenant: { id: string } };
    return {
      area: 'identity',
      audit: {
        tenantId: user.tenant.id,
        action: 'register',
        input: { input: { email, password: '[redacted]', name: 'Audited' } },
        target: user.id,
        actor: user.id,
        actorKind: 'user',
        clientAddress: '127.0.0.1',
      },
      row: 'identity."user"',
      where: 'id = $1',
      key: user.id,
    };
  },
  async login(tenant) {
    const answer = await rest('/api/auth/login', undefined, { ...tenant.account });
    secrets.add(String(answer.body.refresh_token)).add(String(answer.body.access_token));
    return {
      area: 'identity',
      audit: {
        tenantId: tenant.id,
        action: 'login',
        input: { input: { email: tenant.account.email, password: '[redacted]' } },
        target: tenant.user.id,
        actor: tenant.user.id,
        actorKind: 'user',
        clientAddress: '127.0.0.1',
      },
      row: 'identity.session',
      where: 'tenant_id = $1 order by created_at desc, id desc limit 1',
      key: tenant.id,
    };
  },
  async refreshSession(tenant) {
    const answer = await rest('/api/auth/refresh', undefined, { refresh_token: tenant.refreshToken });
    secrets.add(tenant.refreshToken).add(String(answer.body.refresh_token)).add(String(answer.body.access_token));
    const [session] = await panel.sql('select id from identity.session where tenant_id = $1', [tenant.id]);
    return {
      area: 'identity',
      audit: {
        tenantId: tenant.id,
        action: 'refreshSession',
        input: { input: { refreshToken: '[redacted]' } },
        target: session!['id'],
        actor: tenant.user.id,
        actorKind: 'user',
        clientAddress: '127.0.0.1',
      },
      row: 'identity.refresh_token',
      where: 'tenant_id = $1 and used_at is not null',
      key: tenant.id,
    };
  },
  async grantPlan(tenant) {
    dataOf(
      await panel.world.graphql(
        'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }',
        { id: tenant.id },
        administrator,
      ),
    );
    return {
      area: 'identity',
      audit: {
        tenantId: tenant.id,
        action: 'grantPlan',
        input: { input: { tenantId: tenant.id, plan: 'PRO' } },
        target: tenant.id,
        actor: expect.stringMatching(/^usr_/),
        actorKind: 'user',
        clientAddress: '127.0.0.1',
        changes: { plan: 'PRO' },
      },
      row: 'identity.tenant',
      where: 'id = $1',
      key: tenant.id,
    };
  },
  async createEnrollmentToken(tenant) {
    const answer = await rest('/api/fleet/tokens', tenant.token, { name: 'audited', max_uses: 2 });
    secrets.add(String(answer.body.token));
    const [token] = await panel.sql('select id from fleet.enrollment_token where tenant_id = $1', [tenant.id]);
    return {
      area: 'fleet',
      audit: {
        ...byOwner(tenant, 'createEnrollmentToken', token!['id']),
        input: { input: { name: 'audited', maxUses: 2 } },
      },
      row: 'fleet.enrollment_token',
      where: 'tenant_id = $1',
      key: tenant.id,
    };
  },
  async revokeEnrollmentToken(tenant) {
    secrets.add(await tenant.enrollmentToken());
    const [{ id }] = (await tenant.rest<[{ id: string }]>('/api/fleet/tokens')).body;
    await rest(`/api/fleet/tokens/${id}`, tenant.token, {}, 'DELETE');
    return {
      area: 'fleet',
      audit: { ...byOwner(tenant, 'revokeEnrollmentToken', id), input: { id } },
      row: 'fleet.enrollment_token',
      where: 'tenant_id = $1',
      key: tenant.id,
    };
  },
  async enrollInstance(tenant) {
    const token = await tenant.enrollmentToken();
    const node = { name: 'audited-01', hostname: 'audited-01.example.com', version: '0.2.9' };
    const answer = await rest('/api/agent/enroll', undefined, { token, ...node });
    secrets.add(token).add(String(answer.body.credential));
    const id = String(answer.body.instance_id);
    return {
      area: 'fleet',
      audit: {
        tenantId: tenant.id,
        action: 'enrollInstance',
        input: { input: { token: '[redacted]', ...node } },
        target: id,
        actor: id,
        actorKind: 'node',
        clientAddress: '127.0.0.1',
      },
      row: 'fleet.instance',
      where: 'id = $1',
      key: id,
    };
  },
};

function byOwner(tenant: Tenant, action: string, target: unknown) {
  return {
    tenantId: tenant.id,
    action,
    target,
    actor: tenant.user.id,
    actorKind: 'user',
    clientAddress: '127.0.0.1',
  };
}

/** Left out on purpose, each with where it is shown or why it leaves no row. */
const elsewhere: Record<string, string> = {
  completeSetup: 'below, on a panel of its own',
  reportHeartbeat: 'below: telemetry, which leaves no audit row',
};

test('every mutation of the schema is shown here', () => {
  const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
  const mutations = Object.keys(schema.getMutationType()!.getFields());
  expect(mutations.toSorted()).toEqual([...Object.keys(scenarios), ...Object.keys(elsewhere)].toSorted());
});

test.for(Object.entries(scenarios))(
  '%s leaves one audit row, in the transaction of its change and without secrets',
  async ([action, run]) => {
    const { area, audit, row, where, key } = await run(await panel.world.tenant());
    const { tenantId, ...payload } = audit as { tenantId: string };
    const rows = (await recorded(area, tenantId)).filter((each) => each.payload.action === action);
    expect(rows.map((each) => each.payload)).toEqual([payload]);
    const [made] = rows;
    expect(made!.entity_id).toBe(made!.payload['target']);
    expect(await writtenBy(row, where, [key])).toEqual([made!.xid]);
  },
);

test('setting the panel up leaves an audit row too, without the secret of the link', async () => {
  await using fresh = await startTestPanel({ ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
  const token = fresh.panel.setupLink!.split('#token=')[1]!;
  const account = { email: 'root@outbox.example', password: 'another hidden password', name: 'Root' };
  const query = 'mutation($input: CompleteSetupInput!) { completeSetup(input: $input) { user { id } } }';
  const answer = await fresh.world.graphql<{ completeSetup: { user: { id: string } } }>(query, {
    input: { token, account },
  });
  const { id } = dataOf(answer).completeSetup.user;
  const rows = await fresh.sql(`select payload from identity.outbox where topic = '${auditTopic}'`);
  expect(rows).toEqual([
    {
      payload: {
        action: 'completeSetup',
        input: { input: { token: '[redacted]', account: { ...account, password: '[redacted]' } } },
        target: id,
        actor: id,
        actorKind: 'user',
        clientAddress: '127.0.0.1',
      },
    },
  ]);
});

test('no secret that was sent or answered is anywhere in the outbox', async () => {
  const rows = await panel.sql<{ text: string }>(
    'select payload::text as text from identity.outbox union all select payload::text from fleet.outbox',
  );
  expect(rows.length).toBeGreaterThan(10);
  const all = rows.map(({ text }) => text).join('\n');
  expect([...secrets].filter((secret) => all.includes(secret))).toEqual([]);
  expect(secrets.size).toBeGreaterThan(10);
});

test('an audit row names the request that caused it', async () => {
  const tenant = await panel.world.tenant();
  await tenant.rest('/api/fleet/tokens', { body: { name: 'x' }, headers: { 'x-request-id': 'request-42' } });
  expect((await recorded('fleet', tenant.id)).map(({ caused_by }) => caused_by)).toEqual(['request-42']);
});

test('a beat leaves no audit row, only the news that the status changed', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const before = await recorded('fleet', tenant.id);
  for (const _beat of [1, 2, 3]) await node.beat();
  expect(await recorded('fleet', tenant.id)).toEqual(before);
  const changes = await panel.sql(
    `select payload->>'to' as status from fleet.outbox where tenant_id = $1 and topic = 'fleet.instance.changed'`,
    [tenant.id],
  );
  expect(changes).toEqual([{ status: 'HEALTHY' }]);
});

describe('a mutation that fails leaves neither row nor change', () => {
  let before: unknown;
  const everything = async () =>
    panel.sql(
      `select (select count(*) from identity.outbox) + (select count(*) from fleet.outbox) as events,
         (select count(*) from identity.tenant) as tenants, (select count(*) from identity."user") as users,
         (select count(*) from identity.session) as sessions,
         (select count(*) from fleet.instance) as instances, (select sum(uses) from fleet.enrollment_token) as uses,
         (select count(*) from fleet.enrollment_token) as tokens`,
    );
  let tenant: Tenant;
  let usedUp: string;
  beforeEach(async () => {
    tenant = await panel.world.tenant();
    usedUp = await tenant.enrollmentToken({ max_uses: 1 });
    await rest('/api/agent/enroll', undefined, { token: usedUp, name: 'a', hostname: 'a', version: '1' });
    before = await everything();
  });

  const failures: Record<string, () => Promise<number>> = {
    'registering a taken address': async () =>
      (await rest('/api/auth/register', undefined, { ...tenant.account, name: 'Again' })).status,
    'signing in with a wrong password': async () =>
      (await rest('/api/auth/login', undefined, { email: tenant.account.email, password: 'wrong' })).status,
    'enrolling with a used-up token': async () =>
      (await rest('/api/agent/enroll', undefined, { token: usedUp, name: 'b', hostname: 'b', version: '1' })).status,
    'making a token with bad input': async () =>
      (await rest('/api/fleet/tokens', tenant.token, { name: '' })).status,
    'revoking a token that is none': async () =>
      (await rest('/api/fleet/tokens/etk_none', tenant.token, {}, 'DELETE')).status,
  };
  test.for(Object.entries(failures))('%s', async ([, fail]) => {
    expect([401, 404, 409, 422]).toContain(await fail());
    expect(await everything()).toEqual(before);
  });

  test('granting a plan to nobody', async () => {
    const answer = await panel.world.graphql(
      'mutation { grantPlan(input: { tenantId: "org_none", plan: PRO }) { plan } }',
      {},
      administrator,
    );
    expect(refusal(answer)).toEqual({ code: 'NOT_FOUND' });
    expect(await everything()).toEqual(before);
  });

  test('any, when its audit row cannot be written', async () => {
    await panel.sql(
      `alter table fleet.outbox add constraint broken check (topic <> '${auditTopic}') not valid`,
    );
    try {
      const answer = await rest('/api/fleet/tokens', tenant.token, { name: 'unaudited' });
      expect([answer.status, answer.body]).toEqual([500, { error: 'Internal server error' }]);
      expect(await everything()).toEqual(before);
    } finally {
      await panel.sql('alter table fleet.outbox drop constraint broken');
    }
  });
});
