import { afterAll, beforeAll, expect, test } from 'vitest';

import { client, provider } from '../identity/msp/support.js';
import { Mailbox, type ReceivedMail } from '../identity/support/mailbox.js';
import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';
import {
  changesIn,
  decide,
  partnerOf,
  register,
  registration,
  type PartnerBody,
} from './support/partners.js';

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

const shape = {
  id: expect.stringMatching(/^par_/),
  ...registration,
  tier: null,
  discount_percent: 0,
  instances: 0,
  status: 'pending',
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
};

test('the tiers are those of the reference, in its order and with its figures', async () => {
  const tenant = await panel.world.tenant();
  const { status, body } = await tenant.rest('/api/partner-tiers');
  expect({ status, body }).toEqual({
    status: 200,
    body: [
      {
        id: 'tier_silver',
        name: 'Silver',
        discount_percent: 10,
        min_instances: 5,
        features: ['priority-support', 'co-branding'],
      },
      {
        id: 'tier_gold',
        name: 'Gold',
        discount_percent: 20,
        min_instances: 25,
        features: ['priority-support', 'co-branding', 'dedicated-account-manager'],
      },
    ],
  });
  expect((await panel.world.rest('/api/partner-tiers')).status).toBe(401);
});

test('a tenant registers, sees itself and changes what it says of itself; each is in its trail', async () => {
  const tenant = await panel.world.tenant();
  expect((await tenant.rest('/api/partners')).body).toEqual([]);
  const made = await tenant.rest<PartnerBody>('/api/partners', { body: registration });
  expect({ status: made.status, body: made.body }).toEqual({ status: 201, body: shape });
  const path = `/api/partners/${made.body.id}`;
  expect((await tenant.rest(path)).body).toEqual(made.body);
  const changed = await tenant.rest(path, {
    method: 'PUT',
    body: { contact_email: 'new@resellers.example' },
  });
  const after = { ...made.body, contact_email: 'new@resellers.example' };
  expect({ status: changed.status, body: changed.body }).toEqual({ status: 200, body: after });
  expect((await tenant.rest('/api/partners')).body).toEqual([after]);
  expect(await changesIn(panel, tenant, 'registerPartner')).toEqual([
    {
      actor: tenant.user.id,
      changes: {
        name: registration.name,
        contactEmail: registration.contact_email,
        website: registration.website,
      },
    },
  ]);
  expect(await changesIn(panel, tenant, 'updatePartner')).toEqual([
    { actor: tenant.user.id, changes: { contactEmail: 'new@resellers.example' } },
  ]);
});

test('a website is taken away by an empty one, and who is asked whether it is its own partner is told', async () => {
  const tenant = await panel.world.tenant();
  const path = `/api/partners/${await register(tenant)}`;
  const emptied = await tenant.rest(path, { method: 'PUT', body: { website: '' } });
  expect({ status: emptied.status, body: emptied.body }).toMatchObject({
    status: 200,
    body: { website: null },
  });
  expect((await tenant.rest(path)).body).toMatchObject({ website: null });
  const query = '{ partners(first: 500) { nodes { website isOwn } } }';
  expect((await tenant.graphql(query)).data).toEqual({
    partners: { nodes: [{ website: null, isOwn: true }] },
  });
  const all = await panel.world.graphql<{ partners: { nodes: { isOwn: boolean }[] } }>(
    query,
    {},
    await panel.world.administrator(),
  );
  const own = all.data?.partners.nodes.map(({ isOwn }) => isOwn);
  expect(own?.length).toBeGreaterThan(0);
  expect(own).not.toContain(true);
});

test('what is wrong is refused naming the field, in POST and in PUT', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const id = await register(tenant);
  const wrongs: [Partial<typeof registration>, Record<string, string>][] = [
    [{ name: '' }, { name: 'Name is required' }],
    [{ name: 'x'.repeat(201) }, { name: 'Name must have at most 200 characters' }],
    [{ contact_email: 'nobody' }, { contact_email: 'Contact email must be an e-mail address' }],
    [{ website: 'ftp://resellers.example' }, { website: 'Website must be an http or https address' }],
    [{ website: 'javascript:alert(1)' }, { website: 'Website must be an http or https address' }],
  ];
  for (const [wrong, details] of wrongs) {
    const refused = { status: 422, body: { error: 'Validation failed', details } };
    const made = await other.rest('/api/partners', { body: { ...registration, ...wrong } });
    expect({ status: made.status, body: made.body }).toEqual(refused);
    const changed = await tenant.rest(`/api/partners/${id}`, { method: 'PUT', body: wrong });
    expect({ status: changed.status, body: changed.body }).toEqual(refused);
  }
  expect(await partnerOf(tenant, id)).toMatchObject(registration);
  expect((await other.rest('/api/partners')).body).toEqual([]);
});

test('a second registration is refused until the first was turned down', async () => {
  const tenant = await panel.world.tenant();
  const id = await register(tenant);
  const again = await tenant.rest('/api/partners', { body: registration });
  expect([again.status, again.body]).toEqual([
    409,
    { error: 'The organization is registered as a partner already' },
  ]);
  dataOf(await decide(panel, 'rejectPartner', id));
  const other = await register(tenant);
  const { body } = await tenant.rest<PartnerBody[]>('/api/partners');
  expect(body.map((each) => [each.id, each.status])).toEqual([
    [id, 'rejected'],
    [other, 'pending'],
  ]);
});

test('two registrations at once are one', async () => {
  const tenant = await panel.world.tenant();
  const answers = await Promise.all(
    Array.from({ length: 6 }, async () => tenant.rest('/api/partners', { body: registration })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    201, 409, 409, 409, 409, 409,
  ]);
});

test('who may do what: readers read, owners and admins register, nobody sees or changes another tenant’s', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const id = await register(tenant);
  const path = `/api/partners/${id}`;
  expect((await stranger.rest(path)).status).toBe(404);
  expect((await stranger.rest(path, { method: 'PUT', body: { name: 'Mine' } })).status).toBe(404);
  for (const query of ['partnerTierChanges', 'commissions']) {
    const answer = await stranger.graphql(`query($id: ID!) { ${query}(partnerId: $id) { nodes { id } } }`, {
      id,
    });
    expect(refusal(answer)).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect((await stranger.rest('/api/partners')).body).toEqual([]);
  const token = await tokenInRole(panel, tenant, 'BILLING');
  expect((await panel.world.rest(path, { token })).status).toBe(200);
  const refused = await panel.world.rest(path, { token, method: 'PUT', body: { name: 'Other' } });
  expect([refused.status, refused.body]).toEqual([
    403,
    { error: 'This needs the permission billing.partner.manage' },
  ]);
  expect((await panel.world.rest('/api/partners', { token, body: registration })).status).toBe(403);
  expect((await panel.world.rest('/api/partners')).status).toBe(401);
});

test('administrators see the partners of all tenants, page by page', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) ids.push(await register(await panel.world.tenant()));
  const token = await panel.world.administrator();
  const { body } = await panel.world.rest<PartnerBody[]>('/api/partners', { token });
  expect(body.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  const page = await panel.world.rest<PartnerBody[]>('/api/partners?limit=2', { token });
  expect(page.body).toEqual(body.slice(0, 2));
  expect(page.headers.get('x-total-count')).toBe(String(body.length));
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  const { pathname, search } = new URL(next, panel.world.url);
  const second = await panel.world.rest<PartnerBody[]>(pathname + search, { token });
  expect(second.body).toEqual(body.slice(2, 4));
  expect((await panel.world.rest<PartnerBody>(`/api/partners/${ids[0]}`, { token })).body.id).toBe(ids[0]);
  dataOf(await decide(panel, 'rejectPartner', ids[1]!));
  const rejected = await panel.world.graphql<{
    partners: { totalCount: number; nodes: { id: string; status: string }[] };
  }>('{ partners(first: 500, filter: { status: REJECTED }) { totalCount nodes { id status } } }', {}, token);
  const { nodes, totalCount } = dataOf(rejected).partners;
  expect(nodes).toContainEqual({ id: ids[1], status: 'REJECTED' });
  expect(new Set(nodes.map(({ status }) => status))).toEqual(new Set(['REJECTED']));
  expect(totalCount).toBe(nodes.length);
});

test('administrators hear of each registration, and who registered of the decision, live and by mail', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const listen = async (token: string) => {
    const live = new Live<{ partnerChanged: { id: string; status: string } }>(
      panel.panel.url,
      token,
      'subscription { partnerChanged { id status } }',
    );
    await live.opened();
    return live;
  };
  await using office = await listen(await panel.world.administrator());
  await using own = await listen(tenant.token);
  await using strange = await listen(stranger.token);
  const id = await register(tenant);
  dataOf(await decide(panel, 'rejectPartner', id));
  const statuses = [
    { partnerChanged: { id, status: expect.any(String) } },
    { partnerChanged: { id, status: 'REJECTED' } },
  ];
  expect((await office.received(2)).map(({ data }) => data)).toEqual(statuses);
  expect((await own.received(2)).map(({ data }) => data)).toEqual(statuses);
  const isAbout = ({ to, text }: ReceivedMail) =>
    to === testAdministrator.email && text.includes(`/partners/${id}`);
  await until(async () => mailbox.mails.some(isAbout), 'the mail to the administrators');
  const asked = mailbox.mails.find(isAbout)!;
  expect(asked.subject).toBe('A partner has registered');
  expect(asked.text).toContain(`"${registration.name}" wants to be a partner`);
  expect(asked.text).toContain(
    `"${tenant.user.tenant.name}" (${tenant.id}), owned by ${tenant.account.email}.`,
  );
  const answer = await mailbox.receive(
    tenant.account.email,
    /^Your registration as a partner was turned down$/,
  );
  expect(answer.text).toContain(`/partners/${id}`);
  const theirs = await register(stranger);
  const [first] = await strange.received(1);
  expect(first?.data).toEqual({ partnerChanged: { id: theirs, status: 'PENDING' } });
});

test('only administrators decide, along the table of states; a decision may be repeated', async () => {
  const tenant = await panel.world.tenant();
  const id = await register(tenant);
  for (const decision of ['approvePartner', 'rejectPartner', 'suspendPartner'] as const) {
    expect(refusal(await decide(panel, decision, id, { token: tenant.token }))).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'PERMISSION_MISSING',
    });
    const unknown = await decide(panel, decision, `par_${'0'.repeat(26)}`);
    expect(refusal(unknown)).toMatchObject({ code: 'NOT_FOUND' });
  }
  const illegal = { code: 'CONFLICT', reason: 'PARTNER_STATUS' };
  expect(refusal(await decide(panel, 'suspendPartner', id))).toMatchObject(illegal);
  expect(refusal(await decide(panel, 'approvePartner', id, { commissionPercent: 101 }))).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.commissionPercent': 'Commission percent must be at most 100' },
  });
  const approve = async () => dataOf(await decide(panel, 'approvePartner', id, { commissionPercent: 15 }));
  const first = await approve();
  expect(first.approvePartner).toMatchObject({ status: 'APPROVED', commissionPercent: 15 });
  expect(await approve()).toEqual(first);
  expect(refusal(await decide(panel, 'rejectPartner', id))).toMatchObject(illegal);
  expect(dataOf(await decide(panel, 'suspendPartner', id)).suspendPartner.status).toBe('SUSPENDED');
  expect(dataOf(await decide(panel, 'suspendPartner', id)).suspendPartner.status).toBe('SUSPENDED');
  expect(dataOf(await decide(panel, 'approvePartner', id)).approvePartner).toMatchObject({
    status: 'APPROVED',
    commissionPercent: 15,
  });
  await until(
    async () => ((await changesIn(panel, tenant, 'approvePartner')) as unknown[]).length === 3,
    'the trail to have all three',
  );
});

test('the client of a provider is its customer, and no partner', async () => {
  const parent = await provider(panel);
  const child = await client(panel, mailbox, parent);
  await until(async () => {
    const rows = await panel.sql('select 1 from billing.partner_customer where customer_id = $1', [child.id]);
    return rows.length > 0;
  }, 'billing to know of the client');
  const asked = '{ subscription { canManage providerName isTrialAvailable } }';
  expect(dataOf(await child.graphql(asked))).toEqual({
    subscription: { canManage: false, providerName: parent.user.tenant.name, isTrialAvailable: false },
  });
  expect(dataOf(await parent.graphql(asked))).toMatchObject({
    subscription: { canManage: true, providerName: null },
  });
  const { status, body } = await child.rest('/api/partners', { body: registration });
  expect([status, body]).toEqual([409, { error: 'It is the client of a provider, and so a customer of it' }]);
});
