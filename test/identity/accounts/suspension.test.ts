import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { client, provider, signedInAgain } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { enableTotp, nextCode } from '../support/totp.js';

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

const dayMs = 24 * 60 * 60 * 1000;

const close = async (token: string, input: Record<string, unknown> = {}) =>
  panel.world.graphql<{ closeOrganization: { id: string; eraseAt: string } }>(
    'mutation($input: CloseOrganizationInput!) { closeOrganization(input: $input) { id eraseAt } }',
    { input: { currentPassword: 'correct horse battery', ...input } },
    token,
  );

const proof: Record<string, unknown> = { currentPassword: 'administrator-password' };

const closeTenant = async (id: string, token: string, input: typeof proof | null = proof) =>
  panel.world.graphql<{ closeTenant: { id: string; eraseAt: string } }>(
    'mutation($id: ID!, $input: CloseOrganizationInput) { closeTenant(id: $id, input: $input) { id eraseAt } }',
    { id, input },
    token,
  );

const restoreByLink = async (token: string) =>
  panel.world.graphql(
    'mutation($input: RestoreOrganizationInput!) { restoreOrganization(input: $input) { name } }',
    { input: { token } },
  );

/** How administrators are told of a tenant. */
async function listed(id: string): Promise<unknown> {
  const { tenants } = dataOf(
    await panel.world.graphql<{ tenants: { nodes: unknown[] } }>(
      'query($id: String) { tenants(filter: { search: $id }) { nodes { status suspendedBy eraseAt } } }',
      { id },
      await panel.world.administrator(),
    ),
  );
  return tenants.nodes[0];
}

const active = { status: 'ACTIVE', suspendedBy: [], eraseAt: null };

test.concurrent('an owner closes the organization, and takes that back once, by the link that is mailed', async () => {
  const tenant = await panel.world.tenant('Closing Inc');
  const { email, password } = tenant.account;
  const mayIn = async () => (await panel.world.login(email, password)).status;
  const node = await tenant.node();
  const { key } = dataOf(
    await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      { input: { name: 'key', permissions: ['fleet.instance.read'], currentPassword: password } },
    ),
  ).createApiKey;
  // Keys of before may have what is given to none any more.
  await panel.sql(
    `update identity.api_key set permissions = permissions || '{identity.organization.close,identity.organization.export}'
     where tenant_id = $1`,
    [tenant.id],
  );
  expect([
    refusal(await close(key)),
    refusal(await panel.world.graphql('{ organizationExport { id } }', {}, key)),
    (await panel.world.rest('/account/exports/exp_1', { token: key })).status,
  ]).toEqual([{ code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }, 403]);
  const before = panel.clock.now().getTime();
  const { closeOrganization: closed } = dataOf(await close(tenant.token));
  expect(closed.id).toBe(tenant.id);
  expect(Math.abs(Date.parse(closed.eraseAt) - before - 30 * dayMs)).toBeLessThan(600_000);
  await until(async () => (await node.beat()).status === 403, 'the node to be refused', 10_000);
  const withKey = async () => (await panel.world.rest('/api/fleet/instances', { token: key })).status;
  expect([await mayIn(), await withKey(), (await tenant.rest('/api/auth/me')).status]).toEqual([
    401, 401, 401,
  ]);
  const shown = { status: 'SUSPENDED', suspendedBy: [], eraseAt: closed.eraseAt };
  expect(await listed(tenant.id)).toEqual(shown);
  // Closed again, its end is not put off.
  expect(dataOf(await closeTenant(tenant.id, await panel.world.administrator())).closeTenant).toEqual(closed);

  const { text } = await mailbox.receive(email, /organization was closed/);
  expect(text).toContain('Closing Inc was closed');
  const token = await mailbox.token(email, /organization was closed/);
  const state = async () =>
    dataOf(
      await panel.world.graphql<{ linkState: string }>(
        'query($token: String!) { linkState(kind: ORGANIZATION_RESTORE, token: $token) }',
        { token },
      ),
    ).linkState;
  expect(await state()).toBe('OPEN');
  expect(dataOf(await restoreByLink(token))).toEqual({ restoreOrganization: { name: 'Closing Inc' } });
  expect([await state(), refusal(await restoreByLink(token))]).toEqual([
    'USED',
    { code: 'UNAUTHENTICATED', reason: 'MAIL_TOKEN_INVALID' },
  ]);
  await until(async () => (await mayIn()) === 200, 'the owner to be let in', 10_000);
  await until(async () => (await node.beat()).status === 200, 'the node to be let in', 10_000);
  expect([await listed(tenant.id), await withKey()]).toEqual([active, 200]);
});

test.concurrent('closing takes an owner, the password, and a code where codes are on', async () => {
  const tenant = await panel.world.tenant();
  const { secret } = await enableTotp(panel, tenant);
  const { access_token: administrator, user } = (
    await panel.world.login('admin@panel.test', 'administrator-password')
  ).body;
  const code = await nextCode(panel, secret);
  const other = await panel.world.tenant();
  const admin = await tokenInRole(panel, other, 'ADMIN');
  expect([
    refusal(await close(tenant.token, { currentPassword: 'wrong' })),
    refusal(await close(tenant.token)),
    refusal(await close(tenant.token, { code: '000000' })),
    refusal(await close(admin)),
    refusal(await closeTenant(tenant.id, tenant.token)),
    refusal(await closeTenant('org_nonsense', administrator)),
    refusal(await closeTenant(user.tenant.id, administrator)),
    refusal(await closeTenant(tenant.id, administrator, null)),
    refusal(await closeTenant(tenant.id, administrator, { currentPassword: 'wrong' })),
    refusal(await close(administrator, { currentPassword: 'administrator-password' })),
  ]).toEqual([
    { code: 'VALIDATION_FAILED', details: { 'input.currentPassword': 'Current password is wrong' } },
    { code: 'VALIDATION_FAILED', details: { 'input.code': 'Code is required' } },
    { code: 'VALIDATION_FAILED', details: { 'input.code': 'Code is wrong or was used' } },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    { code: 'NOT_FOUND' },
    { code: 'CONFLICT', reason: 'OWN_TENANT' },
    { code: 'VALIDATION_FAILED', details: { 'input.currentPassword': 'Current password is required' } },
    { code: 'VALIDATION_FAILED', details: { 'input.currentPassword': 'Current password is wrong' } },
    { code: 'CONFLICT', reason: 'ADMINISTRATORS_TENANT' },
  ]);
  expect(await listed(tenant.id)).toEqual(active);
  dataOf(await close(tenant.token, { code }));
});

test.concurrent('neither a provider that has clients is closed, nor a client by anybody but its provider', async () => {
  const administrator = await panel.world.administrator();
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  expect([
    refusal(await close(parent.token)),
    refusal(await closeTenant(parent.id, administrator)),
    refusal(await close(acme.token)),
    refusal(await closeTenant(acme.id, administrator)),
  ]).toEqual([
    { code: 'CONFLICT', reason: 'HAS_CLIENTS' },
    { code: 'CONFLICT', reason: 'HAS_CLIENTS' },
    { code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' },
    { code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' },
  ]);
});

test.concurrent('a closed tenant that was let in again by hand is suspended and closed as any other', async () => {
  const administrator = await panel.world.administrator();
  const byHand = async () => {
    const tenant = await panel.world.tenant();
    const { eraseAt } = dataOf(await closeTenant(tenant.id, administrator)).closeTenant;
    await panel.sql(
      `update identity.tenant set suspended_at = null, erase_at = erase_at - interval '20 days' where id = $1`,
      [tenant.id],
    );
    return { id: tenant.id, eraseAt };
  };
  const [one, other] = [await byHand(), await byHand()];
  dataOf(await set('suspend', one.id, administrator));
  expect(await listed(one.id)).toEqual({ status: 'SUSPENDED', suspendedBy: ['PANEL'], eraseAt: null });
  const { closeTenant: closed } = dataOf(await closeTenant(other.id, administrator));
  expect(Date.parse(closed.eraseAt)).toBeGreaterThanOrEqual(Date.parse(other.eraseAt));
  expect(await listed(other.id)).toMatchObject({ status: 'SUSPENDED', eraseAt: closed.eraseAt });
});

test.concurrent('what administrators have suspended stays so when an owner takes its closing back, and they take both back', async () => {
  const administrator = await panel.world.administrator();
  const tenant = await panel.world.tenant();
  const { email, password } = tenant.account;
  dataOf(await set('suspend', tenant.id, administrator));
  dataOf(await closeTenant(tenant.id, administrator));
  const link = await mailbox.token(email, /organization was closed/);
  dataOf(await restoreByLink(link));
  const suspended = { status: 'SUSPENDED', suspendedBy: ['PANEL'], eraseAt: null };
  expect(await listed(tenant.id)).toEqual(suspended);
  dataOf(await closeTenant(tenant.id, administrator));
  dataOf(await set('restore', tenant.id, administrator));
  expect(await listed(tenant.id)).toEqual(active);
  await until(async () => (await panel.world.login(email, password)).status === 200, 'the owner', 10_000);
  const late = await mailbox.token(email, /organization was closed/);
  expect(refusal(await restoreByLink(late))).toMatchObject({ reason: 'MAIL_TOKEN_INVALID' });

  dataOf(await closeTenant(tenant.id, administrator));
  dataOf(await set('suspend', tenant.id, administrator));
  expect(await listed(tenant.id)).toMatchObject({ suspendedBy: ['PANEL'], eraseAt: expect.any(String) });
  dataOf(await restoreByLink(await mailbox.token(email, /organization was closed/)));
  expect(await listed(tenant.id)).toEqual(suspended);
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
