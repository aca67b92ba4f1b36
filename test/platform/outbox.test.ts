import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { AuditedMutations } from './support/audited-mutations.js';

let panel: TestPanel;
let administrator: string;
let audited: AuditedMutations;
beforeAll(async () => {
  panel = await startTestPanel();
  administrator = await panel.world.administrator();
  audited = new AuditedMutations(panel, administrator);
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
  const rows = await panel.sql<{ xid: string }>(
    `select xmin::text as xid from ${table} where ${where}`,
    values,
  );
  return rows.map(({ xid }) => xid);
}

test('a mutation leaves one audit row, in the transaction of its change and without secrets', async () => {
  for (const [action, run] of Object.entries(audited.all)) {
    const { area, tenantId, payload, changed } = await run(await panel.world.tenant());
    const rows = (await recorded(area, tenantId)).filter((each) => each.payload.action === action);
    const { table, where, key } = changed;
    expect(rows).toEqual([
      {
        entity_id: payload['target'],
        payload,
        caused_by: expect.any(String),
        xid: (await writtenBy(table, where, [key])).join(),
      },
    ]);
  }
});

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
        userAgent: 'node',
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
  expect([...audited.secrets].filter((secret) => all.includes(secret))).toEqual([]);
  expect(audited.secrets.size).toBeGreaterThan(20);
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
      // No trace of the mutation: a failed sign-in is told to whoever watches, in a transaction of its own, and what the
      // trail has taken in of earlier mutations is told when it has.
      `select (select count(*) from identity.outbox
                where topic not in ('audit.security.recorded', 'identity.audit.appended'))
           + (select count(*) from fleet.outbox) as events,
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
    await audited.rest('/api/agent/enroll', undefined, {
      token: usedUp,
      name: 'a',
      hostname: 'a',
      version: '1',
    });
    before = await everything();
  });

  const failures: Record<string, () => Promise<number>> = {
    'registering a taken address': async () =>
      (await audited.rest('/api/auth/register', undefined, { ...tenant.account, name: 'Again' })).status,
    'signing in with a wrong password': async () =>
      (await audited.rest('/api/auth/login', undefined, { email: tenant.account.email, password: 'wrong' }))
        .status,
    'enrolling with a used-up token': async () =>
      (
        await audited.rest('/api/agent/enroll', undefined, {
          token: usedUp,
          name: 'b',
          hostname: 'b',
          version: '1',
        })
      ).status,
    'making a token with bad input': async () =>
      (await audited.rest('/api/fleet/tokens', tenant.token, { name: '' })).status,
    'revoking a token that is none': async () =>
      (await audited.rest('/api/fleet/tokens/etk_none', tenant.token, undefined, 'DELETE')).status,
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
      const answer = await audited.rest('/api/fleet/tokens', tenant.token, { name: 'unaudited' });
      expect([answer.status, answer.body]).toEqual([500, { error: 'Internal server error' }]);
      expect(await everything()).toEqual(before);
    } finally {
      await panel.sql('alter table fleet.outbox drop constraint broken');
    }
  });
});
