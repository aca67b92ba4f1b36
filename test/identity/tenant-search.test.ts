import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { decide, register } from '../billing/support/partners.js';
import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { entryOf } from './audit/support.js';

interface Listed {
  id: string;
  name: string;
  plan: string;
  status: string;
  owners: { id: string; email: string }[];
}

let panel: TestPanel;
let administrator: string;
let tenants: Tenant[];
beforeAll(async () => {
  panel = await startTestPanel();
  administrator = await panel.world.administrator();
  tenants = [];
  for (const name of ['Acme Widgets', 'acme.io Hosting', 'B\u00fccher & Co'])
    tenants.push(await panel.world.tenant(name));
});
afterAll(async () => panel.stop());

const list = async (variables: Record<string, unknown> = {}, token: string | undefined = administrator) =>
  panel.world.graphql<{
    tenants: { nodes: Listed[]; totalCount: number; pageInfo: { endCursor: string; hasNextPage: boolean } };
  }>(
    `query($filter: TenantFilter, $first: Int, $after: String) {
      tenants(filter: $filter, first: $first, after: $after) {
        nodes { id name plan status owners { id email } providerId createdAt suspendedAt }
        totalCount pageInfo { endCursor hasNextPage }
      }
    }`,
    variables,
    token,
  );

const found = async (filter: Record<string, unknown>) => {
  const { nodes, totalCount } = dataOf(await list({ filter })).tenants;
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ name }) => name);
};

test('administrators see every tenant, page by page, with its owners', async () => {
  const all = dataOf(await list()).tenants;
  expect(all.totalCount).toBe(4);
  expect(all.nodes.find(({ id }) => id === tenants[0]!.id)).toEqual({
    id: tenants[0]!.id,
    name: 'Acme Widgets',
    plan: 'FREE',
    status: 'ACTIVE',
    owners: [{ id: tenants[0]!.user.id, email: tenants[0]!.account.email }],
    providerId: null,
    createdAt: expect.any(String),
    suspendedAt: null,
  });
  const seen: string[] = [];
  let after: string | undefined;
  for (let more = true; more;) {
    const { nodes, pageInfo } = dataOf(await list({ first: 3, after })).tenants;
    seen.push(...nodes.map(({ id }) => id));
    [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
  }
  expect(seen).toEqual(all.nodes.map(({ id }) => id));
});

test('a tenant is found by words of its name, its id and the address of an owner', async () => {
  const [acme, hosting, books] = tenants as [Tenant, Tenant, Tenant];
  expect(await found({ search: 'ACME' })).toEqual(['Acme Widgets', 'acme.io Hosting']);
  expect(await found({ search: 'host acm' })).toEqual(['acme.io Hosting']);
  expect(await found({ search: 'io' })).toEqual(['acme.io Hosting']);
  expect(await found({ search: 'b\u00fcch' })).toEqual(['B\u00fccher & Co']);
  expect(await found({ search: hosting.id })).toEqual(['acme.io Hosting']);
  expect(await found({ search: ` ${acme.account.email.toUpperCase()} ` })).toEqual(['Acme Widgets']);
  expect(await found({ search: books.account.email.slice(0, 20) })).toEqual(['B\u00fccher & Co']);
  for (const search of ['%', '_', "' or true --", '&', ':*', `nobody-${randomUUID()}`]) {
    expect([search, await found({ search })]).toEqual([search, []]);
  }
});

test('plan and status narrow the list, together with what is looked for', async () => {
  await tenants[1]!.grantPlan('PRO');
  expect(await found({ plan: 'PRO' })).toEqual(['acme.io Hosting']);
  expect(await found({ search: 'acme', plan: 'FREE' })).toEqual(['Acme Widgets']);
  const id = tenants[2]!.id;
  dataOf(
    await panel.world.graphql('mutation($id: ID!) { suspendTenant(id: $id) { id } }', { id }, administrator),
  );
  expect(await found({ status: 'SUSPENDED' })).toEqual(['B\u00fccher & Co']);
  expect(await found({ search: 'acme', status: 'ACTIVE' })).toEqual(['Acme Widgets', 'acme.io Hosting']);
  expect(await found({ search: 'acme', status: 'SUSPENDED' })).toEqual([]);
});

test('nobody else is answered, by the panel or by the database itself', async () => {
  const [tenant] = tenants as [Tenant];
  const missing = { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' };
  expect(refusal(await list({}, tenant.token))).toEqual(missing);
  expect(refusal(await list({}, (await tenant.node()).credential))).toEqual(missing);
  expect(refusal(await panel.world.graphql('{ tenants { totalCount } }'))).toEqual({
    code: 'UNAUTHENTICATED',
  });
  expect(refusal(await list({ filter: { search: 'x'.repeat(255) } }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'filter.search': 'Search must have at most 254 characters' },
  });
  // As the application's own role, bound to a tenant: an owner is none, and another tenant's administrator neither.
  const [admin] = await panel.sql<{ id: string; tenant_id: string }>(
    'select id, tenant_id from identity."user" where is_administrator',
  );
  const asked = async (boundTo: string, as: string) =>
    (
      await panel.sql<{ count: string }>(
        `select count(*) from (select set_config('app.tenant_id', $1, false)) bound
         cross join lateral identity.find_tenants($2, null, null, null, null, null, null, null)`,
        [boundTo, as],
      )
    )[0]?.count;
  expect([
    await asked(tenant.id, tenant.user.id),
    await asked(tenant.id, admin!.id),
    await asked(admin!.tenant_id, admin!.id),
  ]).toEqual(['0', '0', '4']);
});

test('owners and admins rename their organization, which is found by the new name from then on; others do not', async () => {
  const tenant = await panel.world.tenant('Wayne Corp');
  const rename = async (token: string | undefined, name: string) =>
    panel.world.graphql(
      'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { id name } }',
      { input: { name } },
      token,
    );
  const done = { updateTenant: { id: tenant.id, name: 'Kane Ltd' } };
  expect(dataOf(await rename(tenant.token, ' Kane Ltd '))).toEqual(done);
  expect([await found({ search: 'kane' }), await found({ search: 'wayne' })]).toEqual([['Kane Ltd'], []]);
  expect(await entryOf(tenant, 'updateTenant')).toMatchObject({
    actor: tenant.user.id,
    target: tenant.id,
    details: { changes: { name: { from: 'Wayne Corp', to: 'Kane Ltd' } } },
  });
  expect(dataOf(await rename(await tokenInRole(panel, tenant, 'ADMIN'), 'Kane Ltd'))).toEqual(done);
  const told = await panel.sql(
    `select payload from identity.outbox where tenant_id = $1 and topic = 'identity.tenant.renamed'`,
    [tenant.id],
  );
  expect(told).toEqual([{ payload: { name: 'Kane Ltd' } }]);
  expect([
    refusal(await rename(tenant.token, '  ')),
    refusal(await rename(tenant.token, 'x'.repeat(201))),
    refusal(await rename(await tokenInRole(panel, tenant, 'OPERATOR'), 'Mine')),
    refusal(await rename(undefined, 'Mine')),
  ]).toEqual([
    { code: 'VALIDATION_FAILED', details: { 'input.name': 'Name is required' } },
    { code: 'VALIDATION_FAILED', details: { 'input.name': 'Name must have at most 200 characters' } },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'UNAUTHENTICATED' },
  ]);
});

test('a partner says which organization it is, whatever it calls itself, and is found by that', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const id = await register(tenant);
  await register(stranger);
  const query = `query($filter: PartnerFilter) {
    partners(first: 500, filter: $filter) { totalCount nodes { id tenantId approvedAt suspendedAt } }
  }`;
  const filter = { tenantId: tenant.id };
  const seen = {
    partners: { totalCount: 1, nodes: [{ id, tenantId: tenant.id, approvedAt: null, suspendedAt: null }] },
  };
  for (const token of [administrator, tenant.token])
    expect(dataOf(await panel.world.graphql(query, { filter }, token))).toEqual(seen);
  const none = { partners: { totalCount: 0, nodes: [] } };
  expect(dataOf(await stranger.graphql(query, { filter }))).toEqual(none);
  const rejected = { filter: { ...filter, status: 'REJECTED' } };
  expect(dataOf(await panel.world.graphql(query, rejected, administrator))).toEqual(none);
  dataOf(await decide(panel, 'approvePartner', id));
  dataOf(await decide(panel, 'suspendPartner', id));
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  expect(dataOf(await panel.world.graphql(query, { filter }, administrator))).toEqual({
    partners: { totalCount: 1, nodes: [{ id, tenantId: tenant.id, approvedAt: time, suspendedAt: time }] },
  });
});
