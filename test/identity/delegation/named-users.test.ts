import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type GraphQLAnswer, type Tenant } from '../../support/world.js';
import { entryOf, trailOf } from '../audit/support.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { emailOf, member, remove } from '../support/member.js';
import { act, grant, revoke } from './support.js';

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

interface Person {
  id: string;
  email: string;
  token: string;
}

async function person(tenant: Tenant, role = 'OPERATOR'): Promise<Person> {
  const { accessToken: token, user } = await member(tenant, mailbox, role);
  return { id: user.id, email: await emailOf(panel, user.id), token };
}

/** A provider with two technicians, and its client. */
async function world() {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  return { parent, acme, ann: await person(parent), bob: await person(parent, 'ADMIN') };
}

const limit = async (
  tenant: Tenant,
  id: string,
  userEmails: string[],
  token = tenant.token,
): Promise<GraphQLAnswer<{ limitDelegation: { userIds: string[] } }>> =>
  panel.world.graphql(
    'mutation($input: LimitDelegationInput!) { limitDelegation(input: $input) { userIds } }',
    { input: { id, userEmails } },
    token,
  );

const acting = async ({ token }: Pick<Person, 'token'>, acme: Tenant) =>
  dataOf(await act(panel, token, acme.id)).actInTenant.accessToken;

const status = async (token: string) => (await panel.world.rest('/api/fleet/instances', { token })).status;

const notNamed = { code: 'FORBIDDEN', reason: 'NOT_NAMED' };
const named = ({ id, email }: Person) => ({ id, email, name: 'Admin' });

const request = async ({ token }: Pick<Person, 'token'>, acme: Tenant, input: object = {}) =>
  panel.world.graphql<{ requestDelegation: { id: string; userIds: string[] | null } }>(
    'mutation($input: RequestDelegationInput!) { requestDelegation(input: $input) { id userIds } }',
    { input: { clientId: acme.id, role: 'OPERATOR', expiresInHours: 8, reason: 'Two disks', ...input } },
    token,
  );

const approve = async (acme: Tenant, id: string, input: object = {}) =>
  acme.graphql<{ approveDelegation: { delegationId: string } }>(
    'mutation($id: ID!, $input: ApproveDelegationInput) { approveDelegation(id: $id, input: $input) { delegationId } }',
    { id, input },
  );

test.concurrent('under a grant that names users nobody else acts, and they only in a role that may', async () => {
  const { parent, acme, ann, bob } = await world();
  const vera = await person(parent, 'VIEWER');
  const { id } = dataOf(
    await grant(acme, { userEmails: [ann.email.toUpperCase(), vera.email] }),
  ).grantDelegation;
  expect(dataOf(await act(panel, ann.token, acme.id)).actInTenant.role).toBe('OPERATOR');
  for (const { token } of [bob, parent]) expect(refusal(await act(panel, token, acme.id))).toEqual(notNamed);
  expect(refusal(await act(panel, vera.token, acme.id))['code']).toBe('FORBIDDEN');
  expect(await entryOf(acme, 'grantDelegation')).toMatchObject({
    target: id,
    details: { changes: { users: [ann.id, vera.id].toSorted() } },
  });

  const shown = (list: string) => `{ ${list} { nodes { userIds users { id email name } } } }`;
  const users = [ann, vera].toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(named);
  const all = { nodes: [{ userIds: users.map((user) => user.id), users }] };
  expect(dataOf(await acme.graphql(shown('delegations')))).toEqual({ delegations: all });
  const received = await panel.world.graphql(shown('delegationsReceived'), {}, bob.token);
  expect(dataOf(received)).toEqual({ delegationsReceived: all });
  // The others of the client are told that it is for some, and not who they are.
  const { token } = await person(acme, 'ADMIN');
  expect(dataOf(await panel.world.graphql(shown('delegations'), {}, token))).toEqual({
    delegations: { nodes: [{ userIds: users.map((user) => user.id), users: null }] },
  });
});

test.concurrent('whoever is named no more is out within seconds with the tokens that they made, and nobody else is', async () => {
  const { parent, acme, ann, bob } = await world();
  const { id } = dataOf(await grant(acme)).grantDelegation;
  const [byAnn, byBob] = [await acting(ann, acme), await acting(bob, acme)];
  for (const token of [byAnn, byBob])
    expect((await panel.world.rest('/api/fleet/tokens', { token, body: { name: 'door' } })).status).toBe(201);
  await using live = new Live(
    panel.panel.url,
    parent.token,
    'subscription { receivedDelegationChanged { id userIds } }',
  );
  await live.opened();
  const limited = async () => dataOf(await limit(acme, id, [ann.email])).limitDelegation;
  expect(await limited()).toEqual({ userIds: [ann.id] });
  expect(await entryOf(acme, 'limitDelegation')).toMatchObject({
    actor: acme.user.id,
    target: id,
    details: { changes: { users: { from: null, to: [ann.id] } } },
  });
  // Again, which changes nothing.
  expect(await limited()).toEqual({ userIds: [ann.id] });
  await until(async () => (await status(byBob)) === 403, 'the refusal');
  const ended = await panel.world.graphql('{ tenant { id } }', {}, byBob);
  expect(refusal(ended)).toEqual({ code: 'FORBIDDEN', reason: 'GRANT_ENDED' });
  expect(refusal(await act(panel, bob.token, acme.id))).toEqual(notNamed);
  expect(await status(byAnn)).toBe(200);
  const reasons = async () =>
    (await acme.rest<{ revoked_reason?: string }[]>('/api/fleet/tokens')).body.map(
      ({ revoked_reason }) => revoked_reason,
    );
  await until(async () => (await reasons()).join() === ',grant_ended', 'the token of whoever is out to end');

  // The other way round: who is named again acts again at once.
  dataOf(await limit(acme, id, [bob.email]));
  await until(async () => (await status(byAnn)) === 403, 'the refusal');
  const again = await acting(bob, acme);
  expect(await status(again)).toBe(200);
  const make = { token: again, body: { name: 'again' } };
  await until(
    async () => (await panel.world.rest('/api/fleet/tokens', make)).status === 201,
    'fleet to have heard of it',
  );
  const told = { receivedDelegationChanged: { id, userIds: [bob.id] } };
  await until(
    async () => JSON.stringify(live.results.at(-1)?.data) === JSON.stringify(told),
    'the provider to be told of it',
  );
});

test.concurrent('who leaves the provider is taken from the grant, and after the last of them it lets nobody in', async () => {
  const { parent, acme, ann, bob } = await world();
  const { id } = dataOf(await grant(acme, { userEmails: [ann.email, bob.email] })).grantDelegation;
  const list = '{ delegations { nodes { userIds users { id } } } }';
  const left = async () => dataOf(await acme.graphql(list));
  for (const [gone, rest] of [
    [ann, [bob]],
    [bob, []],
  ] as const) {
    await remove(parent, gone.id);
    const ids = rest.map((user) => user.id);
    const nodes = [{ userIds: ids, users: ids.map((user) => ({ id: user })) }];
    const delegations = JSON.stringify({ delegations: { nodes } });
    await until(async () => JSON.stringify(await left()) === delegations, 'the grant to be without them');
  }
  expect(refusal(await act(panel, parent.token, acme.id))).toEqual(notNamed);
  const entries = async () => (await trailOf(acme, { filter: { action: 'limitDelegation' } })).nodes;
  await until(async () => (await entries()).length === 2, 'both entries');
  for (const entry of await entries())
    expect(entry).toMatchObject({
      actor: 'svc:identity',
      target: id,
      details: { changes: { reason: 'MEMBER_REMOVED' } },
    });
});

test.concurrent('a request names users, of whom the owner grants some and no others', async () => {
  const { parent, acme, ann, bob } = await world();
  const both = [ann.id, bob.id].toSorted();
  const asked = dataOf(await request(ann, acme, { userEmails: [ann.email, bob.email] })).requestDelegation;
  expect(asked.userIds).toEqual(both);
  expect(dataOf(await request(bob, acme, { userEmails: [bob.email, ann.email] })).requestDelegation.id).toBe(
    asked.id,
  );
  expect(refusal(await request(ann, acme))).toEqual({ code: 'CONFLICT', reason: 'REQUEST_PENDING' });
  const mail = await mailbox.receive(acme.account.email, /asks for access/);
  expect(mail.text).toContain(ann.email);
  expect(dataOf(await acme.graphql('{ delegationRequests { nodes { users { email } } } }'))).toEqual({
    delegationRequests: {
      nodes: [{ users: both.map((id) => ({ email: id === ann.id ? ann.email : bob.email })) }],
    },
  });
  expect(refusal(await approve(acme, asked.id, { userEmails: [parent.account.email] }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'input.userEmails': 'It was asked for others' },
  });
  dataOf(await approve(acme, asked.id, { userEmails: [bob.email] }));
  expect(refusal(await act(panel, ann.token, acme.id))).toEqual(notNamed);
  await acting(bob, acme);
  for (const tenant of [acme, parent]) {
    const approvals = async () => (await trailOf(tenant, { filter: { action: 'approveDelegation' } })).nodes;
    await until(async () => (await approvals()).length > 0, 'the approval in the trail');
  }
});

test.concurrent('a request is granted for those whom it names and who are left, or for some where it was for all', async () => {
  const { parent, acme, ann, bob } = await world();
  const { id } = dataOf(await request(bob, acme, { userEmails: [ann.email] })).requestDelegation;
  await remove(parent, ann.id);
  expect(refusal(await approve(acme, id))).toEqual({ code: 'CONFLICT', reason: 'NOBODY_LEFT' });
  dataOf(await acme.graphql('mutation($id: ID!) { declineDelegation(id: $id) { id } }', { id }));
  const forAll = dataOf(await request(bob, acme)).requestDelegation;
  dataOf(await approve(acme, forAll.id, { userEmails: [bob.email] }));
  expect(refusal(await act(panel, parent.token, acme.id))).toEqual(notNamed);
  await acting(bob, acme);
});

test.concurrent('only users of the provider are named, by the owner of the client, in a grant that is in force', async () => {
  const { parent, acme, ann } = await world();
  const other = await world();
  const unknown = 'No user of the provider has this address';
  const strangers = [other.ann.email, ann.email, acme.account.email];
  const refused = {
    code: 'VALIDATION_FAILED',
    details: { 'input.userEmails.0': unknown, 'input.userEmails.2': unknown },
  };
  expect(refusal(await grant(acme, { userEmails: strangers }))).toEqual(refused);
  expect(refusal(await request(ann, acme, { userEmails: strangers }))).toEqual(refused);
  expect(refusal(await grant(acme, { userEmails: [] }))).toMatchObject({ code: 'VALIDATION_FAILED' });
  const many = Array.from({ length: 21 }, (_, n) => `${n}@example.com`);
  expect(refusal(await grant(acme, { userEmails: many }))).toMatchObject({ code: 'VALIDATION_FAILED' });

  const { id } = dataOf(await grant(acme)).grantDelegation;
  expect(refusal(await limit(acme, id, strangers))).toEqual(refused);
  expect(refusal(await limit(acme, id, []))).toMatchObject({ code: 'VALIDATION_FAILED' });
  for (const stranger of [parent, other.acme])
    expect(refusal(await limit(stranger, id, [ann.email]))).toEqual({ code: 'NOT_FOUND' });
  const { token } = await person(acme, 'ADMIN');
  expect(refusal(await limit(acme, id, [ann.email], token))).toMatchObject({ code: 'FORBIDDEN' });
  await acting(ann, acme);
  dataOf(await revoke(acme, id));
  expect(refusal(await limit(acme, id, [ann.email]))).toEqual({ code: 'CONFLICT', reason: 'GRANT_ENDED' });
});
