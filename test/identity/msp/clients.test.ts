import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { ordinaryBeat, until, World } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';
import { client, provider, signedInAgain, type ClientBody } from './support.js';

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

const acme = () => ({
  name: 'Acme Corp',
  contact_email: `${randomUUID()}@acme.example`,
  instance_limit: 10,
  plan: 'pro',
});

test.concurrent('the routes answer as the contract says', async () => {
  const parent = await provider(panel);
  const body = acme();
  const made = await parent.rest<ClientBody>('/api/msp/clients', { body });
  const expected = {
    id: expect.stringMatching(/^org_/),
    ...body,
    status: 'active',
    instances_used: 0,
    created_at: restTime(panel.clock.now()),
  };
  expect([made.status, made.body]).toEqual([201, expected]);
  const path = `/api/msp/clients/${made.body.id}`;
  expect((await parent.rest(path)).body).toEqual(made.body);
  expect((await parent.rest('/api/msp/clients')).body).toEqual([made.body]);
  const put = await parent.rest(path, { method: 'PUT', body: { instance_limit: 12, name: 'Acme Ltd' } });
  expect([put.status, put.body]).toEqual([200, { ...made.body, instance_limit: 12, name: 'Acme Ltd' }]);
  const suspended = await parent.rest<ClientBody>(`${path}/suspend`, { method: 'POST' });
  expect([suspended.status, suspended.body.status]).toEqual([200, 'suspended']);
  const restored = await parent.rest<ClientBody>(`${path}/restore`, { method: 'POST' });
  expect([restored.status, restored.body.status]).toEqual([200, 'active']);
  const deleted = await parent.rest(path, { method: 'DELETE' });
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  expect((await parent.rest<ClientBody>(path)).body.status).toBe('suspended');
  expect((await parent.rest(path, { method: 'DELETE' })).status).toBe(204);
  expect((await parent.rest(path, { method: 'PUT', body: { name: 'x' } })).status).toBe(409);
});

test.concurrent('the routes refuse what the contract says they refuse', async () => {
  const parent = await provider(panel, 20);
  const other = await provider(panel);
  const mine = await parent.rest<ClientBody>('/api/msp/clients', { body: acme() });
  const path = `/api/msp/clients/${mine.body.id}`;
  const free = await panel.world.tenant();
  const calls = (p: string): [string, string, object | undefined][] => [
    ['GET', '/api/msp/clients', undefined],
    ['POST', '/api/msp/clients', acme()],
    ['GET', p, undefined],
    ['PUT', p, { name: 'x' }],
    ['DELETE', p, undefined],
    ['POST', `${p}/suspend`, undefined],
    ['POST', `${p}/restore`, undefined],
  ];
  for (const [method, at, body] of calls(path)) {
    const call = { method, ...(body ? { body } : {}) };
    expect([at, (await panel.world.rest(at, call)).status]).toEqual([at, 401]);
    expect([at, (await free.rest(at, call)).status, (await free.rest(at, call)).body]).toEqual([
      at,
      403,
      { error: 'The plan free does not include msp', details: { feature: 'msp', plan: 'free' } },
    ]);
    const foreign = at.startsWith(path) ? (await other.rest(at, call)).status : 404;
    expect([at, foreign]).toEqual([at, 404]);
  }
  for (const role of ['OPERATOR', 'BILLING', 'VIEWER'] as const) {
    const token = await tokenInRole(panel, parent, role);
    for (const [method, at, body] of calls(path).filter(([each]) => each !== 'GET')) {
      const answer = await panel.world.rest(at, { method, token, ...(body ? { body } : {}) });
      expect([role, at, answer.status, answer.body]).toEqual([
        role,
        at,
        403,
        { error: 'This needs the permission identity.msp.manage' },
      ]);
    }
    expect((await panel.world.rest(path, { token })).status).toBe(200);
  }
  await tokenInRole(panel, parent, 'OWNER');

  // The plan is asked for before what was sent.
  const unplanned = await free.rest(path, { method: 'PUT', body: { instance_limit: 0 } });
  expect(unplanned.status).toBe(403);

  const wrong = await parent.rest('/api/msp/clients', {
    body: { name: ' ', contact_email: 'nobody', instance_limit: 0, plan: 'pro' },
  });
  expect([wrong.status, wrong.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        name: 'Name is required',
        contact_email: 'Email must be an e-mail address',
        instance_limit: 'Instance limit must be at least 1',
      },
    },
  ]);
  const unknown = await parent.rest('/api/msp/clients', { body: { ...acme(), colour: 'red' } });
  expect([unknown.status, Object.keys((unknown.body as { details: object }).details)]).toEqual([
    422,
    ['colour'],
  ]);
  expect((await parent.rest('/api/msp/clients', { body: { ...acme(), instance_limit: 'ten' } })).status).toBe(
    400,
  );
  expect((await parent.rest(path, { method: 'PATCH' })).status).toBe(405);
  const tooMuch = await parent.rest('/api/msp/clients', { body: { ...acme(), instance_limit: 11 } });
  expect([tooMuch.status, tooMuch.body]).toEqual([
    409,
    expect.objectContaining({ error: 'The plan enterprise allows 20 instances' }),
  ]);
  expect((await parent.rest(path, { method: 'PUT', body: { instance_limit: 21 } })).status).toBe(409);
  expect((await parent.rest(path, { method: 'PUT', body: { instance_limit: 20 } })).status).toBe(200);
});

test.concurrent('a client that is asked for again under its key is the same, with one share and one invitation', async () => {
  const [parent, other] = [await provider(panel, 20), await provider(panel)];
  const body = acme();
  const headers = { 'idempotency-key': 'first-client' };
  const ask = async (from = parent, more = {}) =>
    from.rest<ClientBody>('/api/msp/clients', { body: { ...body, ...more }, headers });
  const both = await Promise.all([ask(), ask()]);
  const [{ body: made }] = both;
  expect(made.id).toMatch(/^org_/);
  // More of them than may be invited.
  for (let again = 0; again < 4; again += 1) both.push(await ask());
  expect(both.map((answer) => [answer.status, answer.body])).toEqual(both.map(() => [201, made]));
  const reused = await ask(parent, { instance_limit: 5 });
  expect([reused.status, reused.body]).toMatchObject([
    422,
    { details: { 'Idempotency-Key': 'The idempotency key was used with another request' } },
  ]);
  const byInput = await parent.graphql<{ createMspClient: { id: string } }>(
    'mutation($input: CreateMspClientInput!) { createMspClient(input: $input) { id } }',
    {
      input: {
        name: body.name,
        contactEmail: body.contact_email,
        instanceLimit: 10,
        plan: 'PRO',
        idempotencyKey: 'first-client',
      },
    },
  );
  expect(dataOf(byInput)).toEqual({ createMspClient: { id: made.id } });
  expect((await parent.rest<ClientBody[]>('/api/msp/clients')).body.map(({ id }) => id)).toEqual([made.id]);
  // Of another provider it is another call.
  expect((await ask(other)).body.id).not.toBe(made.id);
  const invitations = async () =>
    panel.sql('select 1 from identity.invitation where tenant_id = $1', [made.id]);
  await until(async () => (await invitations()).length > 0, 'the client to be ready');
  expect((await invitations()).length).toBe(1);
});

test.concurrent("shares that are given at once never add up to more than the provider's limit", async () => {
  const parent = await provider(panel, 25);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () =>
      parent.rest<ClientBody>('/api/msp/clients', { body: { ...acme(), instance_limit: 6 } }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    201, 201, 201, 201, 409, 409, 409, 409,
  ]);
  const clients = answers.filter(({ status }) => status === 201).map(({ body }) => body);
  const raised = await Promise.all(
    clients.map(async ({ id }) =>
      parent.rest(`/api/msp/clients/${id}`, { method: 'PUT', body: { instance_limit: 7 } }),
    ),
  );
  expect(raised.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  const [row] = await panel.sql<{ sum: string }>(
    'select sum(instance_limit) from identity.msp_client where tenant_id = $1',
    [parent.id],
  );
  expect(row!.sum).toBe('25');
});

test.concurrent("the provider's own instances count as well", async () => {
  const parent = await provider(panel, 10);
  await parent.node();
  await until(async () => {
    const rows = await panel.sql('select 1 from identity.tenant_usage where tenant_id = $1', [parent.id]);
    return rows.length > 0;
  }, 'the count to reach identity');
  expect((await parent.rest('/api/msp/clients', { body: acme() })).status).toBe(409);
  expect((await parent.rest('/api/msp/clients', { body: { ...acme(), instance_limit: 9 } })).status).toBe(
    201,
  );
});

test.concurrent('a client is a tenant of its own, within the share it was given', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent, { instance_limit: 2 });
  expect(dataOf(await acmeCorp.graphql('{ me { role } tenant { id name plan } }'))).toEqual({
    me: { role: 'OWNER' },
    tenant: { id: acmeCorp.id, name: 'Acme Corp', plan: 'PRO' },
  });
  await until(async () => (await acmeCorp.instanceLimit()) === 2, 'the share to reach fleet');
  await acmeCorp.node();
  await acmeCorp.node();
  await expect(acmeCorp.node()).rejects.toThrow(/409/);
  const used = async () =>
    (await parent.rest<ClientBody>(`/api/msp/clients/${acmeCorp.id}`)).body.instances_used;
  await until(async () => (await used()) === 2, 'the count to reach the provider');
  const lowered = await parent.rest(`/api/msp/clients/${acmeCorp.id}`, {
    method: 'PUT',
    body: { instance_limit: 1 },
  });
  expect(lowered.status).toBe(409);
  expect((await parent.rest('/api/fleet/instances')).body).toEqual([]);
  // No clients of clients.
  expect((await acmeCorp.rest('/api/msp/clients')).status).toBe(403);
  await parent.rest(`/api/msp/clients/${acmeCorp.id}`, {
    method: 'PUT',
    body: { plan: 'enterprise', instance_limit: 5 },
  });
  await until(async () => (await acmeCorp.instanceLimit()) === 5, 'the new share to reach fleet');
  expect((await acmeCorp.rest('/api/msp/clients')).status).toBe(403);
  expect((await entryOf(parent, 'createMspClient')).target).toBe(acmeCorp.id);
});

test.concurrent('a suspended client is refused everywhere within seconds, and works again when restored', async () => {
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent);
  const enrollment = await acmeCorp.enrollmentToken();
  const node = await acmeCorp.node();
  await node.beat();
  await using live = new Live(panel.panel.url, acmeCorp.token, 'subscription { instanceChanged { name } }');
  await live.opened();
  const at = `/api/msp/clients/${acmeCorp.id}`;
  expect((await parent.rest(`${at}/suspend`, { method: 'POST' })).status).toBe(200);
  await until(async () => (await acmeCorp.rest('/api/fleet/instances')).status === 401, 'the refusal', 3_000);

  const refused = { code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' };
  expect(refusal(await acmeCorp.graphql('{ tenant { id } }'))).toEqual(refused);
  // Not 401, which means to a node that its credential is over.
  expect((await node.beat()).status).toBe(403);
  const login = await panel.world.login(acmeCorp.account.email, acmeCorp.account.password);
  expect([login.status, login.body]).toEqual([401, { error: 'The tenant is suspended' }]);
  const refresh = await panel.world.rest('/api/auth/refresh', {
    body: { refresh_token: acmeCorp.refreshToken },
  });
  expect(refresh.status).toBe(401);
  const enroll = await panel.world.rest('/api/agent/enroll', {
    body: { token: enrollment, name: 'late', hostname: 'late.example.com', version: '0.2.9' },
  });
  expect(enroll.status).toBe(401);
  // A socket that was open is closed.
  await live.ended();
  expect(live.error).toMatchObject({ code: 4401, reason: 'The tenant is suspended' });

  expect((await parent.rest<ClientBody>(`${at}/restore`, { method: 'POST' })).body.status).toBe('active');
  await until(async () => (await node.beat()).status === 200, 'the node to be let in again', 3_000);
  const again = await signedInAgain(panel, acmeCorp);
  expect((await again.rest<unknown[]>('/api/fleet/instances')).body.length).toBe(1);
  expect((await acmeCorp.rest('/api/fleet/instances')).status).toBe(401);
});

test('a panel that starts later knows who is suspended', async () => {
  await using first = await startTestPanel({ SMTP_URL: mailbox.url });
  const parent = await provider(first);
  const [acmeCorp, neighbour] = [await client(first, mailbox, parent), await client(first, mailbox, parent)];
  const node = await acmeCorp.node();
  await parent.rest(`/api/msp/clients/${acmeCorp.id}/suspend`, { method: 'POST' });
  await until(async () => (await node.beat()).status === 403, 'the refusal');
  await first.panel.stop();
  const later = new World((await first.another()).url, first.clock);
  const seen = async (token: string) => (await later.rest('/api/fleet/instances', { token })).status;
  expect([await seen(acmeCorp.token), await seen(neighbour.token)]).toEqual([401, 200]);
  const beat = { token: node.credential, body: ordinaryBeat };
  expect((await later.rest('/api/agent/heartbeat', beat)).status).toBe(403);
  const login = await later.login(acmeCorp.account.email, acmeCorp.account.password);
  expect([login.status, login.body]).toEqual([401, { error: 'The tenant is suspended' }]);
});
