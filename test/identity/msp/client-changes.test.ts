import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { entryOf, verify } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';
import { client, password, provider, signedInAgain, type ClientBody } from './support.js';

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

const accept = async (token: string) =>
  panel.world.graphql<{ acceptInvitation: { user: { role: string; tenant: { id: string } } } }>(
    `mutation($input: AcceptInvitationInput!) {
      acceptInvitation(input: $input) { user { role tenant { id } } }
    }`,
    { input: { token, name: 'Someone', password } },
  );

test.concurrent('a provider invites no owner into a client that has one: a new contact is a record only', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent);
  const email = `${randomUUID()}@provider.example`;
  const path = `/api/msp/clients/${acmeCorp.id}`;
  const answer = await parent.rest<ClientBody>(path, { method: 'PUT', body: { contact_email: email } });
  expect([answer.status, answer.body.contact_email]).toEqual([200, email]);
  expect((await entryOf(acmeCorp, 'updateMspClient')).details['changes']).toEqual({ contactEmail: email });
  const invited = await panel.sql('select 1 from identity.invitation where tenant_id = $1 and email = $2', [
    acmeCorp.id,
    email,
  ]);
  expect([invited, mailbox.mails.filter(({ to }) => to === email)]).toEqual([[], []]);
});

test.concurrent('until a client has a user its contact can be invited again, and a new one ends the link of the one before', async () => {
  const parent = await provider(panel);
  const body = {
    name: 'Acme Corp',
    contact_email: `${randomUUID()}@acme.example`,
    instance_limit: 10,
    plan: 'pro',
  };
  const made = await parent.rest<ClientBody>('/api/msp/clients', { body });
  const path = `/api/msp/clients/${made.body.id}`;
  const put = async (contact_email: string) => {
    expect((await parent.rest(path, { method: 'PUT', body: { contact_email } })).status).toBe(200);
    const token = await mailbox.token(contact_email, /Join Acme Corp/);
    expect(mailbox.mails.filter(({ to }) => to === contact_email)).toEqual([]);
    return token;
  };
  const first = await mailbox.token(body.contact_email, /Join Acme Corp/);
  // A program that sends the whole client again mails nobody.
  expect((await parent.rest(path, { method: 'PUT', body })).status).toBe(200);
  const again = await put(body.contact_email);
  const ended = { code: 'UNAUTHENTICATED', reason: 'INVITATION_INVALID' };
  expect(refusal(await accept(first))).toEqual(ended);
  const right = await put(`${randomUUID()}@acme.example`);
  expect(refusal(await accept(again))).toEqual(ended);
  expect(dataOf(await accept(right)).acceptInvitation.user).toEqual({
    role: 'OWNER',
    tenant: { id: made.body.id },
  });
});

test.concurrent('what a provider does to a client is in the trail of the client as well, with who did it', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent);
  const path = `/api/msp/clients/${acmeCorp.id}`;
  await parent.rest(path, {
    method: 'PUT',
    body: { plan: 'enterprise', instance_limit: 4, name: 'Acme Ltd' },
  });
  await parent.rest(`${path}/suspend`, { method: 'POST' });
  await parent.rest(`${path}/restore`, { method: 'POST', headers: { 'x-request-id': 'req-restore-1' } });
  await until(async () => {
    const query = `select 1 from identity.audit_event where tenant_id = $1 and action = 'restoreMspClient'`;
    if ((await panel.sql(query, [acmeCorp.id])).length === 0) return false;
    return (await panel.world.login(acmeCorp.account.email, acmeCorp.account.password)).status === 200;
  }, 'the client to be let in again');
  const owner = await signedInAgain(panel, acmeCorp);
  const by = {
    category: 'MUTATION',
    actor: parent.user.id,
    actorKind: 'user',
    target: acmeCorp.id,
    clientAddress: expect.any(String),
  };
  const told = async (action: string, changes: object) =>
    expect(await entryOf(owner, action)).toMatchObject({
      ...by,
      action,
      details: { actorTenant: parent.id, changes },
    });
  // By the id, where whoever was invited had joined before the entry was added.
  const invitedOwner: unknown = expect.toBeOneOf([owner.account.email, owner.user.id]);
  await told('createMspClient', { name: 'Acme Corp', instanceLimit: 10, invitedOwner });
  await told('updateMspClient', { plan: 'ENTERPRISE', instanceLimit: 4, name: 'Acme Ltd' });
  await told('suspendMspClient', { suspended: true });
  await told('restoreMspClient', { suspended: false });
  expect((await entryOf(owner, 'restoreMspClient')).requestId).toBe('req-restore-1');
  expect(await verify(owner)).toMatchObject({ isIntact: true });
});

test.concurrent('a client is called what its provider says, in every area, and does not rename itself', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent);
  const renamed = await acmeCorp.graphql(
    'mutation { updateTenant(input: { name: "Independent Corp" }) { name } }',
  );
  expect(refusal(renamed)).toEqual({ code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' });
  const called = async () =>
    (await panel.sql('select name from billing.subscription where tenant_id = $1', [acmeCorp.id]))[0]?.[
      'name'
    ];
  await until(async () => (await called()) === 'Acme Corp', 'billing to know the client');
  const path = `/api/msp/clients/${acmeCorp.id}`;
  expect((await parent.rest(path, { method: 'PUT', body: { name: 'Acme Ltd' } })).status).toBe(200);
  await until(async () => (await called()) === 'Acme Ltd', 'billing to know its new name');
  expect(dataOf(await acmeCorp.graphql('{ tenant { name } }'))).toEqual({ tenant: { name: 'Acme Ltd' } });
});

test.concurrent('of two limits given in quick succession the client has the second, as the provider is told', async () => {
  const parent = await provider(panel, 25);
  const acmeCorp = await client(panel, mailbox, parent);
  await until(async () => (await acmeCorp.instanceLimit()) === 10, 'the share to reach fleet');
  const path = `/api/msp/clients/${acmeCorp.id}`;
  // Whoever carries them over waits until both are there.
  const holder = new pg.Client({ connectionString: panel.database.ownerUrl });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select 1 from identity.tenant where id = $1 for update', [acmeCorp.id]);
  for (const instance_limit of [20, 10]) {
    expect((await parent.rest(path, { method: 'PUT', body: { instance_limit } })).status).toBe(200);
  }
  await holder.query('commit');
  await holder.end();
  const applied = async () =>
    panel.sql(
      `select 1 from identity.tenant t join identity.msp_client c on c.id = t.id
       where t.id = $1 and t.client_version = c.version`,
      [acmeCorp.id],
    );
  await until(async () => (await applied()).length === 1, 'both to be carried over');
  const told = await panel.sql<{ limit: number }>(
    `select (payload -> 'limits' ->> 'instances')::int as limit from identity.outbox
     where tenant_id = $1 and topic = 'billing.entitlement.granted' order by entity_version`,
    [acmeCorp.id],
  );
  expect(told.map(({ limit }) => limit)).toEqual([10, 20, 10]);
  await until(async () => (await acmeCorp.instanceLimit()) === 10, 'the limit of the second');
});

test.concurrent('nobody but its provider decides on the plan of a client', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent, { instance_limit: 3 });
  const answer = await panel.world.graphql(
    'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }',
    { input: { tenantId: acmeCorp.id, plan: 'ENTERPRISE' } },
    await panel.world.administrator(),
  );
  expect(refusal(answer)).toEqual({ code: 'CONFLICT', reason: 'MANAGED_BY_PROVIDER' });
  await until(async () => (await acmeCorp.instanceLimit()) === 3, 'the share to reach fleet');
});

test.concurrent('a change that comes when it was overtaken invites nobody, and only the trail tells of it', async () => {
  const parent = await provider(panel);
  const first = `${randomUUID()}@acme.example`;
  const made = await parent.rest<ClientBody>('/api/msp/clients', {
    body: { name: 'Acme Corp', contact_email: first, instance_limit: 10, plan: 'pro' },
  });
  const { id } = made.body;
  await mailbox.token(first, /Join Acme Corp/);
  const second = `${randomUUID()}@acme.example`;
  const body = { contact_email: second, name: 'Acme Ltd' };
  expect((await parent.rest(`/api/msp/clients/${id}`, { method: 'PUT', body })).status).toBe(200);
  const link = await mailbox.token(second, /Join Acme Ltd/);
  await panel.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     select 'evt_again_' || id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at
     from identity.outbox where topic = 'identity.msp-client.changed' and payload ->> 'clientId' = $1
       and payload ->> 'version' = '1'`,
    [id],
  );
  const trail = async () =>
    panel.sql<{
      details: { changes: Record<string, unknown> };
      personal: { as: string; text: string }[] | null;
    }>(
      `select details, personal from identity.audit_event where tenant_id = $1 and action = 'createMspClient' order by sequence`,
      [id],
    );
  await until(async () => (await trail()).length === 2, 'the change to come again');
  const invited = (await trail()).map(
    ({ details, personal }) => personal?.find(({ as }) => as === details.changes['invitedOwner'])?.text,
  );
  expect(invited).toEqual([first, undefined]);
  const { user } = dataOf(await accept(link)).acceptInvitation;
  expect(user).toEqual({ role: 'OWNER', tenant: { id } });
  const [tenant] = await panel.sql('select name from identity.tenant where id = $1', [id]);
  expect([tenant!['name'], mailbox.mails.filter(({ to }) => to === first)]).toEqual(['Acme Ltd', []]);
});
