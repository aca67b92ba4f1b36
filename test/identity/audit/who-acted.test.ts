import { afterAll, beforeAll, expect, test } from 'vitest';

import { formerActorsMigration } from '#subgraphs/identity/migrations/110-former-actors.js';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { act, answer, grant, type AccessRequest } from '../delegation/support.js';
import { client, provider, signedInAgain } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { emailOf, member, remove } from '../support/member.js';
import { entryOf, rename, settled, trailOf, verify } from './support.js';

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

const day = 24 * 60 * 60 * 1000;

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

/** In how many entries of all trails the text is, wherever it stands. */
async function mentions(text: string): Promise<number> {
  const found = await panel.sql(
    'select 1 from identity.audit_event e where strpos(lower(to_jsonb(e)::text), $1) > 0',
    [text.toLowerCase()],
  );
  return found.length;
}

/** Lets the hour's steps be taken until it is so. */
async function inTime(isSo: () => Promise<boolean>, what: string): Promise<void> {
  await until(async () => {
    await panel.clock.leap(61_000);
    return isSo();
  }, what);
}

test('whoever is removed is named for 30 days, and then in no trail: by the id alone, and the chains hold', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  const { accessToken, user } = await member(parent, mailbox, 'ADMIN');
  const email = await emailOf(panel, user.id);
  const name = `Known Once ${user.id}`;
  dataOf(await panel.world.graphql(rename, { input: { name } }, accessToken));
  expect((await panel.world.login(email, 'correct horse battery')).status).toBe(200);
  expect((await panel.world.login(email, 'not the password')).status).toBe(401);
  dataOf(await grant(acme, { role: 'ADMIN', userEmails: [email] }));
  const { accessToken: delegate } = dataOf(await act(panel, accessToken, acme.id)).actInTenant;
  const made = await panel.world.rest('/api/fleet/tokens', { token: delegate, body: { name: 'theirs' } });
  expect(made.status).toBe(201);
  await entryOf(acme, 'createEnrollmentToken');
  for (const tenant of [acme, parent]) await settled(panel, tenant.id);
  // What the hash covers does not tell who it was, and what it says is told beside.
  expect(
    await panel.sql('select action from identity.audit_event where strpos(details::text, $1) > 0', [email]),
  ).toEqual([]);
  const { nodes } = dataOf(
    await acme.graphql<{
      auditEvents: { nodes: { details: { input: { input: { userEmails: string[] } } }; personal: object }[] };
    }>('{ auditEvents(filter: { action: "grantDelegation" }) { nodes { details personal } } }'),
  ).auditEvents;
  const [word] = nodes[0]!.details.input.input.userEmails;
  expect(word).toMatch(/^personal:[0-9a-f]{64}$/);
  expect(nodes[0]!.personal).toEqual({ [word!]: email });
  expect((await entryOf(parent, 'login')).details).toMatchObject({ input: { input: { email: user.id } } });

  await remove(parent, user.id);
  await entryOf(parent, 'removeMember');
  await inTime(
    async () =>
      (await panel.sql('select 1 from identity.former_actor where forget_at > $1', [panel.clock.now()]))
        .length > 0,
    'the end of the account to be noted',
  );
  const before = [await mentions(email), await mentions(name)];
  expect(before).toEqual([expect.any(Number), expect.any(Number)]);
  expect(Math.min(...before)).toBeGreaterThan(3);
  await panel.clock.leap(29 * day);
  await inTime(async () => true, 'a turn');
  expect([await mentions(email), await mentions(name)]).toEqual(before);

  await panel.clock.leap(day);
  await inTime(async () => (await mentions(email)) + (await mentions(name)) === 0, 'them to be forgotten');
  for (const tenant of [acme, parent]) {
    const reader = await signedInAgain(panel, tenant);
    expect((await trailOf(reader, { filter: { actor: user.id } })).nodes.length).toBeGreaterThan(0);
    expect(await verify(reader)).toMatchObject({ isIntact: true });
    // Of those who are there nothing is taken.
    expect(await mentions(tenant.account.email)).toBeGreaterThan(0);
  }
  await until(
    async () => (await panel.sql('select 1 from identity.former_actor')).length === 0,
    'nobody to be left',
  );
});

test('a word that does not stand for what is kept beside it is told as an altered entry', async () => {
  const tenant = await panel.world.tenant();
  dataOf(
    await tenant.graphql('mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { id } }', {
      input: { email: 'invited@somewhere.example', role: 'VIEWER' },
    }),
  );
  const { sequence } = await entryOf(tenant, 'inviteMember');
  await panel.sql(
    `update identity.audit_event set personal = jsonb_set(personal, '{0,text}', '"other@somewhere.example"')
     where tenant_id = $1 and sequence = $2`,
    [tenant.id, sequence],
  );
  expect(await verify(tenant)).toMatchObject({ isIntact: false, brokenAt: sequence, problem: 'ROW_ALTERED' });
});

test('with an erased tenant its people and its name leave the trails of others, at once', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent, { name: 'Erased By Name' });
  const asked = dataOf(
    await parent.graphql<{ requestDelegation: AccessRequest }>(
      'mutation($input: RequestDelegationInput!) { requestDelegation(input: $input) { id } }',
      { input: { clientId: acme.id, role: 'OPERATOR', expiresInHours: 1, reason: 'A disk' } },
    ),
  ).requestDelegation;
  dataOf(await answer(acme, 'approveDelegation', asked.id));
  await entryOf(parent, 'approveDelegation');
  const inTrail = async () =>
    panel.sql<{ name: string | null; email: string | null; tenant: string | null }>(
      `select actor_name as name, actor_email as email, actor_tenant_name as tenant from identity.audit_event
       where tenant_id = $1 and action = 'approveDelegation' and actor = $2`,
      [parent.id, acme.user.id],
    );
  expect(await inTrail()).toEqual([
    { name: 'Client Owner', email: acme.account.email, tenant: 'Erased By Name' },
  ]);
  expect((await parent.rest(`/api/msp/clients/${acme.id}`, { method: 'DELETE' })).status).toBe(204);
  await panel.clock.leap(31 * day);
  await inTime(
    async () => (await panel.sql('select 1 from identity.tenant where id = $1', [acme.id])).length === 0,
    'the tenant to be erased',
  );
  await inTime(async () => (await mentions(acme.account.email)) === 0, 'its people to be forgotten');
  expect(await inTrail()).toEqual([{ name: null, email: null, tenant: null }]);
  expect(await verify(await signedInAgain(panel, parent))).toMatchObject({ isIntact: true });
});

test('whoever was removed before the panel kept note of it is found by the step that begins to', async () => {
  const tenant = await panel.world.tenant();
  const { user } = await member(tenant, mailbox);
  await remove(tenant, user.id);
  await entryOf(tenant, 'removeMember');
  await panel.sql('delete from identity.former_actor');
  for (const statement of formerActorsMigration.statements)
    if (statement.startsWith('insert into')) await panel.sql(statement);
  expect(
    await panel.sql('select user_id as id from identity.former_actor where former_tenant_id = $1', [
      tenant.id,
    ]),
  ).toEqual([{ id: user.id }]);
});
