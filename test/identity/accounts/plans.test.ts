import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Tenant } from '../../support/world.js';

let panel: TestPanel;
let administrator: string;
beforeAll(async () => {
  panel = await startTestPanel();
  administrator = await panel.world.administrator();
});
afterAll(async () => panel.stop());

const grant = async (token: string | undefined, tenantId: string, plan: string) =>
  panel.world.graphql(
    'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { id plan } }',
    { input: { tenantId, plan } },
    token,
  );

async function entitlementsOf(tenant: Tenant) {
  return panel.sql(
    `select entity_id, entity_version, payload from identity.outbox
     where tenant_id = $1 and topic = 'billing.entitlement.granted' order by xid, id`,
    [tenant.id],
  );
}

async function planOf(tenant: Tenant): Promise<unknown> {
  return dataOf(await tenant.graphql('{ tenant { plan } }'));
}

test.concurrent('the platform administrator puts a plan in force, and every subgraph is told', async () => {
  const tenant = await panel.world.tenant();
  expect(dataOf(await grant(administrator, tenant.id, 'PRO'))).toEqual({
    grantPlan: { id: tenant.id, plan: 'PRO' },
  });
  expect(await planOf(tenant)).toEqual({ tenant: { plan: 'PRO' } });
  expect(await entitlementsOf(tenant)).toEqual([
    {
      entity_id: tenant.id,
      entity_version: '1',
      payload: {
        tenantId: tenant.id,
        version: 1,
        plan: 'PRO',
        features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
        limits: { instances: 25, users: 50, storageGb: 500 },
        source: 'GRANT',
      },
    },
  ]);
});

test.concurrent('granting the plan that is in force changes nothing and tells nobody', async () => {
  const tenant = await panel.world.tenant();
  for (const plan of ['FREE', 'PRO', 'PRO', 'ENTERPRISE', 'ENTERPRISE', 'PRO']) {
    expect(dataOf(await grant(administrator, tenant.id, plan))).toEqual({
      grantPlan: { id: tenant.id, plan },
    });
  }
  const told = await entitlementsOf(tenant);
  expect(told.map(({ payload }) => [payload.version, payload.plan])).toEqual([
    [1, 'PRO'],
    [2, 'ENTERPRISE'],
    [3, 'PRO'],
  ]);
});

test.concurrent('grants that come together are told each under a version of its own, and the highest is in force', async () => {
  const tenant = await panel.world.tenant();
  const plans = ['PRO', 'ENTERPRISE', 'PRO', 'ENTERPRISE', 'PRO', 'ENTERPRISE'];
  await Promise.all(plans.map((plan) => grant(administrator, tenant.id, plan)));
  // Transactions that waited for each other may be told out of turn; the version says which one overtook which.
  const told = (await entitlementsOf(tenant)).toSorted(
    (a, b) => Number(a.entity_version) - Number(b.entity_version),
  );
  expect(told.map(({ entity_version }) => entity_version)).toEqual(told.map((_, at) => String(at + 1)));
  expect(await planOf(tenant)).toEqual({ tenant: { plan: told.at(-1)!.payload.plan } });
});

test.concurrent('a tenant that is none is not found', async () => {
  for (const id of ['org_01h455vb4pex5vsknk084sn02q', '', 'nonsense']) {
    expect(refusal(await grant(administrator, id, 'PRO'))).toEqual({ code: 'NOT_FOUND' });
  }
});

test.concurrent('a plan that is none is bad input', async () => {
  const tenant = await panel.world.tenant();
  expect(refusal(await grant(administrator, tenant.id, 'GOLD'))).toEqual({ code: 'BAD_REQUEST' });
});

test.concurrent('nobody but the platform administrator grants plans, not even the owner', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const node = await tenant.node();
  const viewer = await tokenInRole(panel, other, 'VIEWER');
  const forbidden = { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' };
  expect([
    refusal(await grant(tenant.token, tenant.id, 'ENTERPRISE')),
    refusal(await grant(tenant.token, other.id, 'ENTERPRISE')),
    refusal(await grant(viewer, other.id, 'ENTERPRISE')),
    refusal(await grant(node.credential, tenant.id, 'ENTERPRISE')),
    refusal(await grant(undefined, tenant.id, 'ENTERPRISE')),
  ]).toEqual([forbidden, forbidden, forbidden, forbidden, { code: 'UNAUTHENTICATED' }]);
  expect([await planOf(tenant), await planOf(other)]).toEqual([
    { tenant: { plan: 'FREE' } },
    { tenant: { plan: 'FREE' } },
  ]);
});

test.concurrent('the platform administrator sees no other tenant by being one', async () => {
  const tenant = await panel.world.tenant('Private');
  await tenant.node('hidden-01');
  const answer = await panel.world.graphql(
    '{ tenant { id name } instances { totalCount } }',
    {},
    administrator,
  );
  expect(dataOf(answer)).toEqual({
    tenant: { id: expect.not.stringContaining(tenant.id), name: 'Administrator' },
    instances: { totalCount: 0 },
  });
});
