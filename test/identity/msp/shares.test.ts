import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { HeldLock } from '../../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { client, provider, signedInAgain, type ClientBody } from './support.js';

const day = 24 * 60 * 60 * 1000;

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

async function give(parent: Tenant, share: number): Promise<string> {
  const made = await parent.rest<ClientBody>('/api/msp/clients', {
    body: {
      name: 'Acme Corp',
      contact_email: `${randomUUID()}@acme.example`,
      instance_limit: share,
      plan: 'pro',
    },
  });
  expect(made.status).toBe(201);
  return `/api/msp/clients/${made.body.id}`;
}

async function left(parent: Tenant, limit: number | null): Promise<void> {
  await until(async () => (await parent.instanceLimit()) === limit, `${limit} to be left in fleet`);
}

async function enroll(tenant: Tenant) {
  const name = `node-${randomUUID().slice(0, 8)}`;
  return panel.world.rest('/api/agent/enroll', {
    body: {
      token: await tenant.enrollmentToken(),
      name,
      hostname: `${name}.example.com`,
      version: '0.2.9',
    },
  });
}

/** As the platform administrator. */
async function administer(mutation: string, id: string): Promise<void> {
  const query = `mutation($id: ID!) { ${mutation} }`;
  dataOf(await panel.world.graphql(query, { id }, await panel.world.administrator()));
}

async function told(tenant: Tenant) {
  const rows = await panel.sql<{ entity_version: string; payload: { limits: { instances: number | null } } }>(
    `select entity_version, payload from identity.outbox
     where tenant_id = $1 and topic = 'billing.entitlement.granted' order by entity_version`,
    [tenant.id],
  );
  return rows.map(({ entity_version, payload }) => [Number(entity_version), payload.limits.instances]);
}

test('a provider may no longer use what it gave to a client, until it takes that back', async () => {
  const parent = await provider(panel, 25);
  const path = await give(parent, 20);
  await left(parent, 5);
  for (let node = 0; node < 5; node += 1) await parent.node();
  const sixth = await enroll(parent);
  expect([sixth.status, sixth.body]).toEqual([
    409,
    { error: 'The plan enterprise allows 5 instances', details: { limit: 5, used: 5 } },
  ]);
  // Neither a new name nor a suspension changes the share, so nobody is told.
  await parent.rest(path, { method: 'PUT', body: { name: 'Acme Ltd' } });
  await parent.rest(`${path}/suspend`, { method: 'POST' });
  await parent.rest(`${path}/restore`, { method: 'POST' });
  expect((await parent.rest(path, { method: 'PUT', body: { instance_limit: 19 } })).status).toBe(200);
  await left(parent, 6);
  expect([(await enroll(parent)).status, (await enroll(parent)).status]).toEqual([201, 409]);
  expect(await told(parent)).toEqual([
    [1, null],
    [2, 5],
    [3, 6],
  ]);
  // The shares are still counted under the whole limit.
  expect(
    await panel.sql(
      `select version, limits -> 'instances' as instances from identity.entitlement where tenant_id = $1`,
      [parent.id],
    ),
  ).toEqual([{ version: '3', instances: 25 }]);
});

test('shares that are given at once leave the provider what is left after all of them', async () => {
  const parent = await provider(panel, 25);
  await Promise.all([1, 2, 3, 4].map(async (share) => give(parent, share)));
  await left(parent, 15);
  const versions = await told(parent);
  expect(versions.map(([version]) => version)).toEqual([1, 2, 3, 4, 5]);
  expect(versions.at(-1)).toEqual([5, 15]);
});

test('a provider that is closed while it makes a client has none afterwards', async () => {
  const parent = await provider(panel);
  await using held = await HeldLock.by(panel, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `identity.instances ${parent.id}`,
  ]);
  const waiting = async (count: number) =>
    until(async () => {
      const rows = await held.query(
        `select from pg_locks w join pg_locks h using (locktype, database, classid, objid)
         where h.pid = pg_backend_pid() and h.locktype = 'advisory' and h.granted and not w.granted`,
      );
      return rows.length === count;
    }, 'them to wait for the lock');
  const closing = parent.graphql(
    'mutation($input: CloseOrganizationInput!) { closeOrganization(input: $input) { id } }',
    { input: { currentPassword: parent.account.password } },
  );
  await waiting(1);
  const making = parent.rest('/api/msp/clients', {
    body: { name: 'Late', contact_email: `${parent.id}@client.example`, instance_limit: 1, plan: 'pro' },
  });
  await waiting(2);
  await held.release();
  dataOf(await closing);
  expect((await making).status).toBe(403);
  expect(await panel.sql('select id from identity.msp_client where tenant_id = $1', [parent.id])).toEqual([]);
});

test('a provider without a limit keeps none, and one with a smaller plan has what its clients left of it', async () => {
  const parent = await provider(panel);
  const path = await give(parent, 20);
  expect(await told(parent)).toEqual([[1, null]]);
  expect(await parent.instanceLimit()).toBe(null);
  const grant = async (plan: string) =>
    panel.world.graphql(
      'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }',
      { input: { tenantId: parent.id, plan } },
      await panel.world.administrator(),
    );
  expect(await grant('PRO')).toEqual({ data: { grantPlan: { plan: 'PRO' } } });
  await left(parent, 5);
  await grant('FREE');
  await left(parent, 0);
  await grant('ENTERPRISE');
  await left(parent, null);
  expect((await parent.rest(path, { method: 'PUT', body: { instance_limit: 30 } })).status).toBe(200);
  expect(await told(parent)).toEqual([
    [1, null],
    [2, 5],
    [3, 0],
    [4, null],
  ]);
});

test('nothing is added to a client while its provider does not pay, and what it has goes on', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const node = await acme.node();
  const token = await acme.enrollmentToken();
  const isReadOnly = async (readOnly: boolean, why: string) =>
    until(async () => {
      const rows = await panel.sql(
        'select 1 from fleet.entitlement where tenant_id = $1 and is_read_only = $2',
        [acme.id, readOnly],
      );
      return rows.length > 0;
    }, why);

  await administer('grantPlan(input: { tenantId: $id, plan: FREE }) { plan }', parent.id);
  await isReadOnly(true, 'the client to be read-only');
  const name = `node-${randomUUID().slice(0, 8)}`;
  const late = { token, name, hostname: `${name}.example.com`, version: '0.2.9' };
  const refused = await panel.world.rest('/api/agent/enroll', { body: late });
  expect([refused.status, refused.body]).toMatchObject([409, { error: expect.stringContaining('overdue') }]);
  expect((await node.beat()).status).toBe(200);
  expect(dataOf(await acme.graphql('{ subscription { isReadOnly planSource } }'))).toEqual({
    subscription: { isReadOnly: true, planSource: 'PROVIDER' },
  });
  await administer('grantPlan(input: { tenantId: $id, plan: ENTERPRISE }) { plan }', parent.id);
  await isReadOnly(false, 'the client to be as it was');
  expect((await panel.world.rest('/api/agent/enroll', { body: late })).status).toBe(201);

  await administer('suspendTenant(id: $id) { id }', parent.id);
  await isReadOnly(true, 'the client of a suspended provider');
  await administer('restoreTenant(id: $id) { id }', parent.id);
  await isReadOnly(false, 'the client of a restored provider');

  // As a payment that is overdue beyond its grace.
  await panel.sql(
    `insert into billing.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     values ($2, $1, 'billing.plan.decided', $1, 1,
       '{"version": 1, "plan": "ENTERPRISE", "keepsPlan": true, "isReadOnly": true}', 'test', now())`,
    [parent.id, `evt_${randomUUID()}`],
  );
  await isReadOnly(true, 'the client of a provider whose payment is overdue');
});

test('a provider whose plan is over still sees, suspends, restores and deletes its clients, and changes none', async () => {
  const parent = await provider(panel);
  const path = await give(parent, 5);
  await administer('grantPlan(input: { tenantId: $id, plan: FREE }) { plan }', parent.id);
  const call = async (method: string, at: string, body?: object) => {
    const answer = await parent.rest<ClientBody>(at, { method, ...(body ? { body } : {}) });
    return [answer.status, answer.body?.status];
  };
  expect([
    (await call('GET', '/api/msp/clients'))[0],
    await call('GET', path),
    await call('POST', `${path}/suspend`),
    await call('POST', `${path}/restore`),
    await call('PUT', path, { name: 'Acme Ltd' }),
    (await call('DELETE', path))[0],
    await call('GET', path),
  ]).toEqual([
    200,
    [200, 'active'],
    [200, 'suspended'],
    [200, 'active'],
    [403, undefined],
    204,
    [200, 'suspended'],
  ]);
});

test('a client that is made or changed while its provider does not pay is read-only as well', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  await panel.sql('update identity.entitlement set is_read_only = true where tenant_id = $1', [parent.id]);
  const put = { method: 'PUT', body: { instance_limit: 4 } };
  expect((await parent.rest(`/api/msp/clients/${acme.id}`, put)).status).toBe(200);
  await left(acme, 4);
  const rows = await panel.sql('select is_read_only from fleet.entitlement where tenant_id = $1', [acme.id]);
  expect(rows).toEqual([{ is_read_only: true }]);
});

// Last, for it leaps a month ahead.
test('the share of a deleted client returns to the provider when the client is erased', async () => {
  const parent = await provider(panel, 25);
  const path = await give(parent, 20);
  await left(parent, 5);
  expect((await parent.rest(path, { method: 'DELETE' })).status).toBe(204);
  await panel.clock.leap(29 * day);
  const before = await signedInAgain(panel, parent);
  // It may be restored until then, with its share.
  await left(before, 5);
  await panel.clock.leap(2 * day);
  await until(async () => {
    await panel.clock.leap(61_000);
    // Fifteen such leaps are the life of a token.
    const after = await signedInAgain(panel, parent);
    return (await after.instanceLimit()) === 25;
  }, 'the share to return');
});
