import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
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

test.concurrent('nobody else does, nor does anybody to their own tenant', async () => {
  const login = await panel.world.login('admin@panel.test', 'administrator-password');
  const { access_token: administrator, user } = login.body;
  const tenant = await panel.world.tenant();
  expect([
    refusal(await set('suspend', tenant.id, tenant.token)),
    refusal(await set('restore', tenant.id, tenant.token)),
    refusal(await set('suspend', 'org_nonsense', administrator)),
    refusal(await set('suspend', user.tenant.id, administrator)),
  ]).toEqual([
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'NOT_FOUND' },
    { code: 'CONFLICT', reason: 'OWN_TENANT' },
  ]);
});

test.concurrent('a client stays suspended until both its provider and the administrators have restored it', async () => {
  const administrator = await panel.world.administrator();
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const at = `/api/msp/clients/${acme.id}`;
  const byProvider = async (what: string) => {
    expect((await parent.rest(`${at}/${what}`, { method: 'POST' })).status).toBe(200);
    await carriedOver(acme.id);
  };
  const byPanel = async (what: 'suspend' | 'restore') => dataOf(await set(what, acme.id, administrator));

  await byPanel('suspend');
  expect(await told(parent, acme.id)).toEqual(['SUSPENDED', ['PANEL'], 'SUSPENDED', ['PANEL']]);
  expect((await parent.rest(at, { method: 'PUT', body: { name: 'Acme Ltd' } })).status).toBe(200);
  await byProvider('restore');
  expect(await told(parent, acme.id)).toEqual(['SUSPENDED', ['PANEL'], 'SUSPENDED', ['PANEL']]);
  const { email, password } = acme.account;
  expect((await panel.world.login(email, password)).body).toEqual({ error: 'The tenant is suspended' });

  await byProvider('suspend');
  for (let times = 0; times < 2; times += 1) await byPanel('restore');
  expect(await told(parent, acme.id)).toEqual(['SUSPENDED', ['PROVIDER'], 'SUSPENDED', ['PROVIDER']]);
  for (let times = 0; times < 2; times += 1) await byPanel('suspend');
  await byProvider('restore');
  expect(await told(parent, acme.id)).toEqual(['SUSPENDED', ['PANEL'], 'SUSPENDED', ['PANEL']]);
  await byPanel('restore');
  expect(await told(parent, acme.id)).toEqual(['ACTIVE', [], 'ACTIVE', []]);
  await until(async () => (await panel.world.login(email, password)).status === 200, 'the owner', 3_000);
});

/** Until what the provider decided last is so in the client. */
async function carriedOver(id: string): Promise<void> {
  await until(async () => {
    const behind = await panel.sql(
      `select 1 from identity.tenant t join identity.msp_client c on c.id = t.id
       where t.id = $1 and t.client_version < c.version`,
      [id],
    );
    return behind.length === 0;
  }, 'the client to follow its provider');
}

/** Status, and who has suspended it, as administrators are told and as the provider is. */
async function told(parent: Tenant, id: string): Promise<unknown[]> {
  const fields = 'status suspendedBy suspendedAt';
  const tenants = await panel.world.graphql<{ tenants: { nodes: Told[] } }>(
    `query($id: String) { tenants(filter: { search: $id }) { nodes { ${fields} } } }`,
    { id },
    await panel.world.administrator(),
  );
  const { mspClient } = dataOf(
    await parent.graphql<{ mspClient: Told }>(`query($id: ID!) { mspClient(id: $id) { ${fields} } }`, { id }),
  );
  return [dataOf(tenants).tenants.nodes[0]!, mspClient].flatMap(({ status, suspendedBy, suspendedAt }) => {
    expect(suspendedAt === null).toBe(status === 'ACTIVE');
    return [status, suspendedBy];
  });
}

interface Told {
  status: string;
  suspendedBy: string[];
  suspendedAt: string | null;
}
