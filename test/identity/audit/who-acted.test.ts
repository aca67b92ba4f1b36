import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../../support/panel.js';
import { entryOf, rename, verify } from './support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

interface Named {
  action: string;
  actorName: string | null;
  actorEmail: string | null;
  actorTenantName: string | null;
}

const byName = 'action actorName actorEmail actorTenantName';

test('an entry tells whoever acted by the name and the address that they had then, and verifies with them', async () => {
  const tenant = await panel.world.tenant();
  const { email } = tenant.account;
  const made = dataOf(
    await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      {
        input: {
          name: 'Nightly',
          permissions: ['fleet.group.manage', 'fleet.instance.read'],
          currentPassword: tenant.account.password,
        },
      },
    ),
  ).createApiKey;
  await panel.world.graphql(
    'mutation { createInstanceGroup(input: { name: "Some", kind: LIVE, filter: { tags: ["web"] } }) { id } }',
    {},
    made.key,
  );
  await entryOf(tenant, 'createInstanceGroup');
  await tenant.node();
  await entryOf(tenant, 'createEnrollmentToken');
  dataOf(await tenant.graphql(rename, { input: { name: 'Somebody Else' } }));
  await entryOf(tenant, 'updateProfile');
  await panel.world.login(email, 'not the password');
  await entryOf(tenant, 'authn_login_fail');
  await tenant.grantPlan('PRO');
  await entryOf(tenant, 'grantPlan');
  const entries = async () =>
    dataOf(
      await tenant.graphql<{ auditEvents: { nodes: Named[] } }>(
        `{ auditEvents(first: 100) { nodes { ${byName} } } }`,
      ),
    ).auditEvents.nodes;
  const found = new Map((await entries()).map(({ action, ...who }) => [action, who]));
  const nobody = { actorName: null, actorEmail: null, actorTenantName: null };
  const owner = { actorName: 'Owner', actorEmail: email, actorTenantName: null };
  expect(Object.fromEntries(found)).toMatchObject({
    register: owner,
    createApiKey: owner,
    createInstanceGroup: { ...nobody, actorName: 'Nightly' },
    createEnrollmentToken: owner,
    enrollInstance: nobody,
    updateProfile: { ...owner, actorName: 'Somebody Else' },
    authn_login_fail: nobody,
    grantPlan: {
      actorName: expect.any(String),
      actorEmail: testAdministrator.email,
      actorTenantName: expect.any(String),
    },
  });
  expect(await verify(tenant)).toMatchObject({ isIntact: true });
  // Entries that an older version has added tell none.
  await panel.sql(
    `update identity.audit_event set actor_name = null, actor_email = null where tenant_id = $1 and action = 'register'`,
    [tenant.id],
  );
  expect((await entries()).at(-1)).toEqual({ action: 'register', ...nobody });
  expect(await verify(tenant)).toMatchObject({ isIntact: true });
});
