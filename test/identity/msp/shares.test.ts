import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { provider, signedInAgain, type ClientBody } from './support.js';

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
