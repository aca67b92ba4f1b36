import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { client, provider, signedInAgain } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';

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

const set = async (action: 'suspend' | 'restore', id: string, token: string) =>
  panel.world.graphql(`mutation($id: ID!) { ${action}Tenant(id: $id) { id } }`, { id }, token);

test.concurrent('an administrator suspends a tenant, which works again when it is restored', async () => {
  const administrator = await panel.world.administrator();
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const node = await tenant.node();
  for (let times = 0; times < 2; times += 1)
    expect(dataOf(await set('suspend', tenant.id, administrator))).toEqual({
      suspendTenant: { id: tenant.id },
    });
  await until(async () => (await tenant.rest('/api/fleet/instances')).status === 401, 'the refusal', 3_000);
  expect([(await node.beat()).status, (await other.rest('/api/fleet/instances')).status]).toEqual([403, 200]);
  const { email, password } = tenant.account;
  expect((await panel.world.login(email, password)).body).toEqual({ error: 'The tenant is suspended' });
  for (let times = 0; times < 2; times += 1)
    expect(dataOf(await set('restore', tenant.id, administrator))).toEqual({
      restoreTenant: { id: tenant.id },
    });
  await until(async () => (await node.beat()).status === 200, 'the node to be let in again', 3_000);
  await until(async () => (await panel.world.login(email, password)).status === 200, 'the owner', 3_000);
  const again = await signedInAgain(panel, tenant);
  // Each area hears of it by itself.
  await until(
    async () => !(await again.graphql('{ auditEvents(first: 1) { nodes { id } } }')).errors,
    'the trail to be told again',
    3_000,
  );
  expect(await entryOf(again, 'suspendTenant')).toMatchObject({
    actorKind: 'user',
    target: tenant.id,
    details: { changes: { suspended: true } },
  });
});

test.concurrent('nobody else does, nor does anybody to a client of a provider or to their own tenant', async () => {
  const login = await panel.world.login('admin@panel.test', 'administrator-password');
  const { access_token: administrator, user } = login.body;
  const tenant = await panel.world.tenant();
  const acme = await client(panel, mailbox, await provider(panel));
  expect([
    refusal(await set('suspend', tenant.id, tenant.token)),
    refusal(await set('restore', tenant.id, tenant.token)),
    refusal(await set('suspend', 'org_nonsense', administrator)),
    refusal(await set('suspend', user.tenant.id, administrator)),
    refusal(await set('suspend', acme.id, administrator)),
    refusal(await set('restore', acme.id, administrator)),
  ]).toEqual([
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'NOT_FOUND' },
    { code: 'CONFLICT', reason: 'OWN_TENANT' },
    { code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' },
    { code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' },
  ]);
});
