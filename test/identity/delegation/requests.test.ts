import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { toldLate } from '../../support/told-late.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf, trailOf } from '../audit/support.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { giveRole, member, remove } from '../support/member.js';
import { act, answer, grant, requestShown, type AccessRequest } from './support.js';

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

async function pair(): Promise<{ parent: Tenant; acme: Tenant }> {
  const parent = await provider(panel);
  return { parent, acme: await client(panel, mailbox, parent) };
}

const wanted = { role: 'OPERATOR', expiresInHours: 8, reason: 'Two disks\nto replace' };

const ask = async (parent: Tenant, clientId: string, input: object = {}, token = parent.token) =>
  panel.world.graphql<{ requestDelegation: AccessRequest }>(
    `mutation($input: RequestDelegationInput!) { requestDelegation(input: $input) { ${requestShown} } }`,
    { input: { clientId, ...wanted, ...input } },
    token,
  );

test.concurrent('a request and its grant are found by their ids on both sides, by the names of who asks', async () => {
  const [{ parent, acme }, stranger] = [await pair(), await provider(panel)];
  const { id } = dataOf(await ask(parent, acme.id)).requestDelegation;
  const names = 'id requestedByName providerName';
  const find = async (tenant: Tenant, query: string, what: string, fields: string) =>
    tenant.graphql(`query($id: ID!) { found: ${query}(id: $id) { ${fields} } }`, { id: what });
  const asked = { found: { id, requestedByName: 'Owner', providerName: parent.user.tenant.name } };
  expect(dataOf(await find(acme, 'delegationRequest', id, names))).toEqual(asked);
  expect(dataOf(await find(parent, 'delegationRequestSent', id, names))).toEqual(asked);
  const granted = dataOf(await answer(acme, 'approveDelegation', id))['approveDelegation']!.delegationId!;
  // Neither others of the client nor those who act in it are told the names of people of the provider.
  const { accessToken: admin } = await member(acme, mailbox, 'ADMIN');
  dataOf(await grant(acme, { role: 'ADMIN' }));
  const { accessToken: delegate } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  for (const token of [admin, delegate]) {
    const others = Object.assign(Object.create(acme) as Tenant, { token });
    expect(dataOf(await find(others, 'delegationRequest', id, 'id requestedByName'))).toEqual({
      found: { id, requestedByName: null },
    });
  }
  const seen = { found: { id: granted, providerName: parent.user.tenant.name } };
  expect(dataOf(await find(acme, 'delegation', granted, 'id providerName'))).toEqual(seen);
  expect(dataOf(await find(parent, 'delegationReceived', granted, 'id providerName'))).toEqual(seen);
  const wrong: [Tenant, string, string][] = [
    [parent, 'delegationRequest', id],
    [acme, 'delegationRequest', granted],
    [parent, 'delegation', granted],
    [stranger, 'delegationRequest', id],
    [stranger, 'delegationRequestSent', id],
    [stranger, 'delegation', granted],
    [stranger, 'delegationReceived', granted],
  ];
  for (const [tenant, query, what] of wrong)
    expect([query, refusal(await find(tenant, query, what, 'id'))]).toEqual([query, { code: 'NOT_FOUND' }]);
});

test.concurrent('a provider asks, the owner is mailed and grants less, and both trails have it', async () => {
  const { parent, acme } = await pair();
  await using theirs = new Live(
    panel.panel.url,
    acme.token,
    'subscription { delegationRequestChanged { id status } }',
  );
  await using mine = new Live(
    panel.panel.url,
    parent.token,
    'subscription { sentDelegationRequestChanged { id status } }',
  );
  await Promise.all([theirs.opened(), mine.opened()]);
  const asked = dataOf(await ask(parent, acme.id)).requestDelegation;
  expect(asked).toEqual({
    id: expect.stringMatching(/^dlr_/),
    clientId: acme.id,
    providerId: parent.id,
    ...wanted,
    status: 'PENDING',
    decidedBy: null,
    delegationId: null,
  });
  // Asked again it is the same request; another one has to wait for the answer.
  expect(dataOf(await ask(parent, acme.id)).requestDelegation).toEqual(asked);
  expect(refusal(await ask(parent, acme.id, { role: 'ADMIN' }))).toEqual({
    code: 'CONFLICT',
    reason: 'REQUEST_PENDING',
  });
  const mail = await mailbox.receive(acme.account.email, /asks for access/);
  expect(mail.text).toContain(
    'to act in your organization as operator for 8 hours. What it is for: Two disks to replace',
  );
  // Nothing may be done until it is approved.
  expect(refusal(await act(panel, parent.token, acme.id))).toEqual({
    code: 'FORBIDDEN',
    reason: 'GRANT_REQUIRED',
  });

  expect(
    refusal(await answer(acme, 'approveDelegation', asked.id, { role: 'ADMIN', expiresInHours: 9 })),
  ).toEqual({
    code: 'VALIDATION_FAILED',
    details: {
      'input.role': 'Only OPERATOR was asked for',
      'input.expiresInHours': 'Only 8 hours were asked for',
    },
  });
  const less = { role: 'VIEWER', expiresInHours: 2 };
  const approved = dataOf(await answer(acme, 'approveDelegation', asked.id, less))['approveDelegation']!;
  expect(approved).toEqual({
    ...asked,
    status: 'APPROVED',
    decidedBy: acme.user.id,
    delegationId: expect.stringMatching(/^dlg_/),
  });
  expect(dataOf(await answer(acme, 'approveDelegation', asked.id))['approveDelegation']).toEqual(approved);
  const acting = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  expect([acting.role, acting.delegation.id]).toEqual(['VIEWER', approved.delegationId]);
  const late = { code: 'CONFLICT', reason: 'REQUEST_ENDED' };
  expect(refusal(await answer(acme, 'declineDelegation', asked.id))).toEqual(late);
  expect(refusal(await answer(parent, 'withdrawDelegationRequest', asked.id))).toEqual(late);

  const told = [
    { id: asked.id, status: 'PENDING' },
    { id: asked.id, status: 'APPROVED' },
  ];
  await Promise.all([theirs.received(2), mine.received(2)]);
  expect(theirs.results.map(({ data }) => data?.['delegationRequestChanged'])).toEqual(told);
  expect(mine.results.map(({ data }) => data?.['sentDelegationRequestChanged'])).toEqual(told);
  await until(
    async () => (await trailOf(parent, { filter: { action: 'approveDelegation' } })).nodes.length === 1,
    'the approval in the trail of the provider',
  );
  // Where the client's owner is stays with the client.
  expect([
    (await entryOf(parent, 'approveDelegation')).clientAddress,
    (await entryOf(parent, 'requestDelegation')).clientAddress,
  ]).toEqual(['', expect.stringMatching(/./)]);
  for (const tenant of [acme, parent]) {
    // Those that were repeated or refused too.
    const asking = { filter: { action: 'requestDelegation' } };
    await until(
      async () => (await trailOf(tenant, asking)).nodes.filter(({ target }) => target !== null).length === 2,
      'both entries',
    );
    expect(await entryOf(tenant, 'requestDelegation')).toMatchObject({
      actor: parent.user.id,
      target: asked.id,
    });
    expect(await entryOf(tenant, 'approveDelegation')).toMatchObject({
      actor: acme.user.id,
      target: asked.id,
    });
  }
});

test.concurrent('a request ends with the access of whoever made it, and not for what they were before', async () => {
  const { parent, acme } = await pair();
  const operator = await member(parent, mailbox, 'OPERATOR');
  const { id } = dataOf(await ask(parent, acme.id, {}, operator.accessToken)).requestDelegation;
  await giveRole(parent, operator.user.id, 'ADMIN');
  await toldLate(panel, 'identity', {
    topic: 'identity.member.changed',
    tenantId: parent.id,
    payload: { userId: operator.user.id, role: 'VIEWER' },
    occurredAt: new Date(panel.clock.now().getTime() - day / 2),
  });
  const shownNow = async () =>
    dataOf(
      await acme.graphql<{ delegationRequests: { nodes: { status: string; decidedBy: string | null }[] } }>(
        '{ delegationRequests { nodes { status decidedBy } } }',
      ),
    ).delegationRequests.nodes;
  expect(await shownNow()).toEqual([{ status: 'PENDING', decidedBy: null }]);
  await remove(parent, operator.user.id);
  await until(async () => (await shownNow())[0]?.status === 'WITHDRAWN', 'the request to end');
  expect(await shownNow()).toEqual([{ status: 'WITHDRAWN', decidedBy: null }]);
  expect(refusal(await answer(acme, 'approveDelegation', id))).toEqual({
    code: 'CONFLICT',
    reason: 'REQUEST_ENDED',
  });
  for (const tenant of [parent, acme])
    expect(await entryOf(tenant, 'withdrawDelegationRequest')).toMatchObject({
      actor: 'svc:identity',
      actorKind: 'service',
    });
});

test.concurrent('what is declined, withdrawn or not answered in seven days gives nothing', async () => {
  await using own = await startTestPanel({ SMTP_URL: mailbox.url });
  const parent = await provider(own);
  const acme = await client(own, mailbox, parent);
  const request = async () =>
    dataOf(
      await parent.graphql<{ requestDelegation: AccessRequest }>(
        'mutation($input: RequestDelegationInput!) { requestDelegation(input: $input) { id status } }',
        { input: { clientId: acme.id, ...wanted } },
      ),
    ).requestDelegation.id;
  const declined = await request();
  for (let times = 0; times < 2; times += 1) {
    const { declineDelegation } = dataOf(await answer(acme, 'declineDelegation', declined));
    expect(declineDelegation).toMatchObject({ status: 'DECLINED', delegationId: null });
  }
  const withdrawn = await request();
  expect(withdrawn).not.toBe(declined);
  for (let times = 0; times < 2; times += 1) {
    const { withdrawDelegationRequest } = dataOf(
      await answer(parent, 'withdrawDelegationRequest', withdrawn),
    );
    expect(withdrawDelegationRequest).toMatchObject({ status: 'WITHDRAWN' });
  }
  const late = { code: 'CONFLICT', reason: 'REQUEST_ENDED' };
  expect(refusal(await answer(acme, 'approveDelegation', withdrawn))).toEqual(late);
  const open = await request();
  await own.clock.leap(7 * day);
  const again = async (tenant: Tenant) =>
    Object.assign(Object.create(tenant) as Tenant, {
      token: (await own.world.login(tenant.account.email, tenant.account.password)).body.access_token,
    });
  const owner = await again(acme);
  expect(refusal(await answer(owner, 'approveDelegation', open))).toEqual(late);
  expect(refusal(await act(own, (await again(parent)).token, acme.id))).toEqual({
    code: 'FORBIDDEN',
    reason: 'GRANT_REQUIRED',
  });
  const list = `{ all: delegationRequests { nodes { status } } open: delegationRequests(isPending: true) { totalCount } }`;
  expect(dataOf(await owner.graphql(list))).toEqual({
    all: { nodes: [{ status: 'DECLINED' }, { status: 'WITHDRAWN' }, { status: 'EXPIRED' }] },
    open: { totalCount: 0 },
  });
});

test.concurrent('only a provider asks its own clients, and only owners of the client answer', async () => {
  const { parent, acme } = await pair();
  const other = await pair();
  expect(refusal(await ask(other.parent, acme.id))).toEqual({ code: 'NOT_FOUND' });
  expect(refusal(await ask(parent, 'org_nonsense'))).toEqual({ code: 'NOT_FOUND' });
  expect(refusal(await ask(acme, acme.id))).toMatchObject({ code: 'PLAN_REQUIRED' });
  const viewer = await tokenInRole(panel, parent, 'VIEWER');
  expect(refusal(await ask(parent, acme.id, {}, viewer))['code']).toBe('FORBIDDEN');
  expect(refusal(await ask(parent, acme.id, { role: 'OWNER', expiresInHours: 0, reason: ' ' }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: {
      'input.role': 'Ownership can not be delegated',
      'input.expiresInHours': 'It must last at least 1 hour',
      'input.reason': 'Reason is required',
    },
  });
  const technician = await tokenInRole(panel, parent, 'OPERATOR');
  const { id } = dataOf(await ask(parent, acme.id, {}, technician)).requestDelegation;
  for (const stranger of [other.parent, other.acme]) {
    expect(refusal(await answer(stranger, 'approveDelegation', id))).toEqual({ code: 'NOT_FOUND' });
    expect(refusal(await answer(stranger, 'withdrawDelegationRequest', id))).toEqual({ code: 'NOT_FOUND' });
  }
  await tokenInRole(panel, parent, 'OWNER');
  // The provider sees its request, but it is not its own to answer.
  expect(refusal(await answer(parent, 'approveDelegation', id))).toEqual({ code: 'NOT_FOUND' });
  const admin = await tokenInRole(panel, acme, 'ADMIN');
  const byAdmin = 'mutation($id: ID!) { approveDelegation(id: $id) { id } }';
  expect(refusal(await panel.world.graphql(byAdmin, { id }, admin))['code']).toBe('FORBIDDEN');
  const sent = '{ delegationRequestsSent { totalCount } }';
  expect(dataOf(await other.parent.graphql(sent))).toEqual({ delegationRequestsSent: { totalCount: 0 } });
  expect(dataOf(await parent.graphql(sent))).toEqual({ delegationRequestsSent: { totalCount: 1 } });
  expect((await trailOf(acme, { filter: { actor: other.parent.user.id } })).nodes).toEqual([]);
});

test.concurrent('a provider that asks again and again is held up, and its clients are not mailed', async () => {
  const { parent, acme } = await pair();
  const once = async () => {
    const asked = await ask(parent, acme.id);
    if (asked.errors) return refusal(asked)['code'];
    dataOf(await answer(parent, 'withdrawDelegationRequest', asked.data!.requestDelegation.id));
    return 'asked';
  };
  const outcomes: unknown[] = [];
  for (let times = 0; times < 6; times += 1) outcomes.push(await once());
  expect(outcomes).toEqual(['asked', 'asked', 'asked', 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
});

test.concurrent('what is approved takes the place of what was granted before', async () => {
  const { parent, acme } = await pair();
  const before = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
  const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
  const { id } = dataOf(await ask(parent, acme.id)).requestDelegation;
  const { approveDelegation } = dataOf(await answer(acme, 'approveDelegation', id));
  expect(approveDelegation!.delegationId).not.toBe(before.id);
  await until(
    async () => (await panel.world.rest('/api/fleet/instances', { token })).status === 403,
    'the first to end',
  );
});
