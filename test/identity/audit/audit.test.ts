import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until } from '../../support/world.js';
import { entryOf, rename, settled, tenantWithTrailIn, trailOf, verify } from './support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const tenantWithTrail = async (count?: number) => tenantWithTrailIn(panel, count);

test.concurrent('a mutation leaves who, what, from where and the request id, without secrets', async () => {
  const tenant = await panel.world.tenant();
  await tenant.rest('/api/auth/profile', {
    method: 'PUT',
    body: { name: 'Renamed', email: `x-${tenant.account.email}`, current_password: tenant.account.password },
    headers: { 'x-request-id': 'req-audited-1', 'user-agent': 'audit-test' },
  });
  const entry = await entryOf(tenant, 'updateProfile');
  expect(entry).toEqual({
    id: expect.stringMatching(/^evt_/),
    sequence: 2,
    category: 'MUTATION',
    action: 'updateProfile',
    actor: tenant.user.id,
    actorKind: 'user',
    target: tenant.user.id,
    clientAddress: expect.any(String),
    requestId: 'req-audited-1',
    details: {
      input: {
        input: {
          name: 'Renamed',
          email: `x-${tenant.account.email}`,
          currentPassword: '[redacted]',
        },
      },
      changes: { name: 'Renamed', pendingEmail: `x-${tenant.account.email}` },
      userAgent: 'audit-test',
    },
    previousHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test.concurrent('a new entry is told live to who may read the trail, as far as it is asked for, and to no other tenant', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  for (const { id } of [tenant, other]) await settled(panel, id);
  const document = `subscription ($filter: AuditEventFilter) {
    auditEventRecorded(filter: $filter) { action target sequence hash }
  }`;
  const follow = (token: string, filter: object | null) =>
    new Live(panel.panel.url, token, document, { variables: { filter } });
  await using all = follow(tenant.token, null);
  await using keys = follow(tenant.token, { action: 'createInstanceGroup', category: 'MUTATION' });
  await using foreign = follow(other.token, null);
  for (const live of [all, keys, foreign]) await live.opened();
  const make = async (who: typeof tenant) =>
    dataOf(
      await who.graphql<{ createInstanceGroup: { id: string } }>(
        'mutation { createInstanceGroup(input: { name: "Some", kind: LIVE, filter: { tags: ["web"] } }) { id } }',
      ),
    ).createInstanceGroup.id;
  dataOf(await tenant.graphql(rename, { input: { name: 'Renamed' } }));
  await all.received(1);
  const target = await make(tenant);
  await keys.received(1);
  await all.received(2);
  const { hash, sequence } = await entryOf(tenant, 'createInstanceGroup');
  const told = { action: 'createInstanceGroup', target, sequence, hash };
  expect(keys.results.map(({ data }) => data?.['auditEventRecorded'])).toEqual([told]);
  expect(all.results.map(({ data }) => data?.['auditEventRecorded'])).toMatchObject([
    { action: 'updateProfile' },
    told,
  ]);
  const theirs = await make(other);
  expect(await foreign.received(1)).toMatchObject([{ data: { auditEventRecorded: { target: theirs } } }]);
});

test.concurrent('a failed sign-in is in the trail of the tenant whose account it was', async () => {
  const tenant = await panel.world.tenant();
  await panel.world.login(tenant.account.email, 'not the password');
  expect(await entryOf(tenant, 'authn_login_fail')).toMatchObject({
    category: 'SECURITY',
    actor: 'anonymous',
    target: tenant.user.id,
    details: { reason: 'wrong password' },
  });
});

test.concurrent('entries of all areas are one chain without gaps, in which each follows from the one before', async () => {
  const tenant = await tenantWithTrail();
  const { nodes, totalCount } = await trailOf(tenant, { first: 100 });
  expect(nodes.map(({ sequence }) => sequence)).toEqual(nodes.map((_, index) => nodes.length - index));
  expect(totalCount).toBe(nodes.length);
  expect(new Set(nodes.map(({ action }) => action))).toEqual(
    new Set(['register', 'createEnrollmentToken', 'enrollInstance', 'updateProfile']),
  );
  expect(nodes.slice(0, -1).map(({ previousHash }) => previousHash)).toEqual(
    nodes.slice(1).map(({ hash }) => hash),
  );
  expect(await verify(tenant)).toEqual({
    isIntact: true,
    checked: nodes.length,
    brokenAt: null,
    problem: null,
  });
});

test.concurrent('the trail is read in pages that new entries do not move, and by filters', async () => {
  const tenant = await tenantWithTrail(6);
  const all = (await trailOf(tenant, { first: 100 })).nodes;
  const first = await trailOf(tenant, { first: 4 });
  await tenant.graphql(rename, { input: { name: 'In between' } });
  await settled(panel, tenant.id);
  const second = await trailOf(tenant, { first: 4, after: first.pageInfo.endCursor });
  expect([...first.nodes, ...second.nodes]).toEqual(all.slice(0, 8));

  const named = async (filter: Record<string, unknown>) =>
    new Set((await trailOf(tenant, { filter })).nodes.map(({ action }) => action));
  const enrolled = await entryOf(tenant, 'enrollInstance');
  const { target: made } = await entryOf(tenant, 'createEnrollmentToken');
  expect(enrolled.details).toMatchObject({ changes: { enrollmentTokenId: made } });
  expect(await named({ action: 'updateProfile' })).toEqual(new Set(['updateProfile']));
  expect(await named({ actor: enrolled.actor })).toEqual(new Set(['enrollInstance']));
  expect(await named({ target: tenant.user.id })).toEqual(new Set(['updateProfile', 'register']));
  expect(await named({ target: tenant.user.id, action: 'register' })).toEqual(new Set(['register']));
  expect(await named({ category: 'SECURITY' })).toEqual(new Set());
  await panel.world.login(tenant.account.email, 'not the password');
  await entryOf(tenant, 'authn_login_fail');
  expect(await named({ category: 'SECURITY' })).toEqual(new Set(['authn_login_fail']));
  expect(await named({ category: 'MUTATION', requestId: enrolled.requestId })).toEqual(
    new Set(['enrollInstance']),
  );
  const now = panel.clock.now();
  expect(await named({ to: now.toISOString() })).toEqual(new Set());
  expect((await named({ from: now.toISOString() })).size).toBe(5);
  expect(refusal(await tenant.graphql('{ auditEvents(first: 0) { totalCount } }'))).toMatchObject({
    code: 'BAD_REQUEST',
    details: { first: expect.any(String) as string },
  });
  expect(refusal(await tenant.graphql('{ auditEvents(after: "!!") { totalCount } }'))).toMatchObject({
    code: 'BAD_REQUEST',
  });
  const nonsense = Buffer.from('evt_x').toString('base64url');
  expect(refusal(await tenant.graphql(`{ auditEvents(after: "${nonsense}") { totalCount } }`))).toMatchObject(
    {
      code: 'BAD_REQUEST',
    },
  );
});

test.concurrent('what one request caused in all areas is found from each of its entries, page by page, and of no other tenant', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const requestId = `req-${crypto.randomUUID()}`;
  const group = (name: string) =>
    `createInstanceGroup(input: { name: "${name}", kind: LIVE, filter: { tags: ["web"] } }) { id }`;
  const query = `mutation { updateProfile(input: { name: "A" }) { name } one: ${group('One')} two: ${group('Two')} }`;
  for (const who of [tenant, other]) {
    const asked = { body: { query }, headers: { 'x-request-id': requestId } };
    expect((await who.rest('/graphql', asked)).body).not.toHaveProperty('errors');
    await settled(panel, who.id);
  }
  interface Caused {
    action: string;
    sameRequest: { nodes: { id: string; action: string }[]; totalCount: number };
  }
  const causedBy = async (first: number) =>
    dataOf(
      await tenant.graphql<{ auditEvents: { nodes: (Caused & { id: string })[] } }>(
        `query ($filter: AuditEventFilter, $first: Int) {
          auditEvents(filter: $filter) {
            nodes { id action sameRequest(first: $first) { nodes { id action } totalCount } }
          }
        }`,
        { filter: { requestId }, first },
      ),
    ).auditEvents.nodes;
  const entries = await causedBy(10);
  const told = entries.map(({ id, action }) => ({ id, action }));
  expect(told.map(({ action }) => action).toSorted()).toEqual([
    'createInstanceGroup',
    'createInstanceGroup',
    'updateProfile',
  ]);
  expect(entries.map(({ sameRequest }) => sameRequest)).toEqual(
    told.map((entry) => ({ nodes: told.filter((each) => each !== entry), totalCount: 2 })),
  );
  expect((await causedBy(1))[0]!.sameRequest).toEqual({ nodes: [told[1]], totalCount: 2 });
});

test.concurrent('an entry is found by its place in the trail of its tenant', async () => {
  const tenant = await panel.world.tenant();
  const { id, sequence } = await entryOf(tenant, 'register');
  const at = async (place: number) =>
    tenant.graphql('query($sequence: Int!) { auditEvent(sequence: $sequence) { id action } }', {
      sequence: place,
    });
  expect(dataOf(await at(sequence))).toEqual({ auditEvent: { id, action: 'register' } });
  expect(refusal(await at(99))).toEqual({ code: 'NOT_FOUND' });
});

test.concurrent('owners and admins read the trail, nobody else', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const query = '{ auditEvents { totalCount } verifyAudit { isIntact } }';
  const outcomes: Record<string, unknown> = {};
  for (const role of ['ADMIN', 'OPERATOR', 'BILLING', 'VIEWER'] as const) {
    const answer = await panel.world.graphql(query, {}, await tokenInRole(panel, tenant, role));
    outcomes[role] = answer.errors ? answer.errors.map(({ extensions }) => extensions['code']) : 'answered';
  }
  const denied = ['FORBIDDEN'];
  expect(outcomes).toEqual({ ADMIN: 'answered', OPERATOR: denied, BILLING: denied, VIEWER: denied });
  const asNode = await panel.world.graphql(query, {}, node.credential);
  expect(asNode.errors?.map(({ extensions }) => extensions['code'])).toEqual(denied);
  const anonymous = await panel.world.graphql(query);
  expect(anonymous.errors?.map(({ extensions }) => extensions['code'])).toEqual(['UNAUTHENTICATED']);
});

test.concurrent('a tenant sees its own trail only', async () => {
  const [mine, other] = [await tenantWithTrail(), await tenantWithTrail()];
  const theirs = (await trailOf(other)).nodes.map(({ id }) => id);
  expect((await trailOf(mine, { first: 500 })).nodes.filter(({ id }) => theirs.includes(id))).toEqual([]);
  expect((await trailOf(mine, { filter: { actor: other.user.id } })).nodes).toEqual([]);
});

describe('the export', () => {
  test.concurrent('is the whole trail as CSV, oldest first, that no spreadsheet runs', async () => {
    const tenant = await panel.world.tenant();
    await tenant.rest('/api/fleet/summary', { headers: { 'x-request-id': 'x' } });
    // By the name that is there when it is added.
    await settled(panel, tenant.id);
    for (const [index, userAgent] of ['=cmd|calc', '@SUM(A1)', 'quote " and , comma'].entries()) {
      await tenant.rest('/api/auth/profile', {
        method: 'PUT',
        body: { name: `=HYPERLINK("http://evil${index}")` },
        headers: { 'user-agent': userAgent, 'x-request-id': `-${index}-1` },
      });
    }
    await settled(panel, tenant.id);
    const answer = await tenant.rest('/audit/export');
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/csv; charset=utf-8',
      'no-store',
    ]);
    const lines = answer.text.trimEnd().split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe(
      '"sequence","id","occurred_at","recorded_at","category","action","actor","actor_kind","target","client_address","request_id","details","previous_hash","hash","actor_name","actor_email","actor_tenant_name","personal"',
    );
    expect(lines[1]).toMatch(/^"1","evt_.*","MUTATION","register"/);
    expect(lines[1]).toMatch(new RegExp(`"Owner","${tenant.account.email}","",`));
    // A header of the client may start like a formula: it is marked as text.
    expect(lines.slice(2).map((line) => /"'(-\d-1)"/.exec(line)?.[1])).toEqual(['-0-1', '-1-1', '-2-1']);
    expect(answer.text).not.toMatch(/(^|,)"[=+@\-\t]/m);
    expect(answer.headers.get('x-ratelimit-limit')).not.toBeNull();
  });

  test.concurrent('breaks off where whoever asked for it has lost their access, and is the trail of when it began', async () => {
    const tenant = await panel.world.tenant();
    await settled(panel, tenant.id);
    // More than lies between a panel and somebody who does not read.
    await panel.sql(
      `insert into identity.audit_event
       select tenant_id, n, 'evt_' || n, category, action, actor, actor_kind, target, client_address, request_id,
         jsonb_build_object('input', repeat('x', 4000)), occurred_at, recorded_at, previous_hash, hash
       from identity.audit_event, generate_series(2, 5001) n where tenant_id = $1 and sequence = 1`,
      [tenant.id],
    );
    const { email, password } = tenant.account;
    const { access_token: token } = (await panel.world.login(email, password)).body;
    const asked = async (by: string) =>
      fetch(`${panel.panel.url}/audit/export`, { headers: { authorization: `Bearer ${by}` } });
    const [ended, whole] = [await asked(token), await asked(tenant.token)];
    expect([ended.status, whole.status]).toEqual([200, 200]);
    expect((await panel.world.rest('/api/auth/logout', { method: 'POST', token })).status).toBe(204);
    await until(async () => (await panel.world.rest('/api/auth/me', { token })).status === 401, 'the end');
    await expect(ended.text()).rejects.toThrow('terminated');
    expect((await whole.text()).trimEnd().split('\r\n')).toHaveLength(5_002);
  });

  test.concurrent('is for owners and admins', async () => {
    const tenant = await panel.world.tenant();
    expect((await panel.world.rest('/audit/export')).status).toBe(401);
    expect((await panel.world.rest('/audit/export', { token: 'nonsense' })).status).toBe(401);
    const viewer = await tokenInRole(panel, tenant, 'VIEWER');
    expect((await panel.world.rest('/audit/export', { token: viewer })).status).toBe(403);
  });
});
