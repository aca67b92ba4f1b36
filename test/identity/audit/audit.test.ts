import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Tenant } from '../../support/world.js';
import { entryOf, settled, trailOf, verify } from './support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const rename = 'mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { name } }';

/** A tenant with a trail of at least `count` entries from two areas. */
async function tenantWithTrail(count = 5): Promise<Tenant> {
  const tenant = await panel.world.tenant();
  await tenant.node('audited-01');
  for (let index = 0; index < count; index += 1) {
    dataOf(await tenant.graphql(rename, { input: { name: `Name ${index}` } }));
  }
  await settled(panel, tenant.id);
  return tenant;
}

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
      changes: { name: 'Renamed', email: `x-${tenant.account.email}` },
      userAgent: 'audit-test',
    },
    previousHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
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
  expect(await named({ action: 'updateProfile' })).toEqual(new Set(['updateProfile']));
  expect(await named({ actor: enrolled.actor })).toEqual(new Set(['enrollInstance']));
  expect(await named({ target: tenant.user.id })).toEqual(new Set(['updateProfile', 'register']));
  expect(await named({ target: tenant.user.id, action: 'register' })).toEqual(new Set(['register']));
  const now = panel.clock.now();
  expect(await named({ to: now.toISOString() })).toEqual(new Set());
  expect((await named({ from: now.toISOString() })).size).toBe(4);
  expect(refusal(await tenant.graphql('{ auditEvents(first: 0) { totalCount } }'))).toEqual({
    code: 'BAD_REQUEST',
  });
  expect(refusal(await tenant.graphql('{ auditEvents(after: "!!") { totalCount } }'))).toEqual({
    code: 'BAD_REQUEST',
  });
  const nonsense = Buffer.from('evt_x').toString('base64url');
  expect(refusal(await tenant.graphql(`{ auditEvents(after: "${nonsense}") { totalCount } }`))).toEqual({
    code: 'BAD_REQUEST',
  });
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

describe('tampering by SQL is found, with its place', () => {
  const at = (tenant: Tenant) => [tenant.id];
  const cases: [string, (tenant: Tenant) => Promise<unknown>, Record<string, unknown>][] = [
    [
      'an altered actor',
      (t) =>
        panel.sql(
          `update identity.audit_event set actor = 'usr_other' where tenant_id = $1 and sequence = 4`,
          at(t),
        ),
      { brokenAt: 4, checked: 3, problem: 'ROW_ALTERED' },
    ],
    [
      'an altered detail',
      (t) =>
        panel.sql(
          `update identity.audit_event set details = details || '{"changes": {"name": "Innocent"}}'
           where tenant_id = $1 and sequence = 5`,
          at(t),
        ),
      { brokenAt: 5, checked: 4, problem: 'ROW_ALTERED' },
    ],
    [
      'an altered time',
      (t) =>
        panel.sql(
          `update identity.audit_event set occurred_at = occurred_at - interval '1 hour' where tenant_id = $1 and sequence = 1`,
          at(t),
        ),
      { brokenAt: 1, checked: 0, problem: 'ROW_ALTERED' },
    ],
    [
      'a removed entry',
      (t) => panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence = 3`, at(t)),
      { brokenAt: 3, checked: 2, problem: 'ROW_MISSING' },
    ],
    [
      'a removed beginning',
      (t) => panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence <= 2`, at(t)),
      { brokenAt: 1, checked: 0, problem: 'ROW_MISSING' },
    ],
    [
      'two entries that changed places',
      (t) =>
        panel
          .sql(
            `update identity.audit_event set sequence = case sequence when 4 then 1005 else 1004 end
           where tenant_id = $1 and sequence in (4, 5)`,
            at(t),
          )
          .then(() =>
            panel.sql(
              `update identity.audit_event set sequence = sequence - 1000 where tenant_id = $1 and sequence > 1000`,
              at(t),
            ),
          ),
      { brokenAt: 4, checked: 3, problem: 'LINK_BROKEN' },
    ],
    [
      'a removed end',
      (t) =>
        panel.sql(
          `delete from identity.audit_event where tenant_id = $1 and sequence >
             (select last_sequence - 2 from identity.audit_head where tenant_id = $1)`,
          at(t),
        ),
      { brokenAt: 7, checked: 6, problem: 'END_MISSING' },
    ],
    [
      'a removed end whose head was moved along',
      (t) =>
        panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence > 6`, at(t)).then(() =>
          panel.sql(
            `update identity.audit_head h set last_sequence = 6, last_hash = e.hash from identity.audit_event e
               where h.tenant_id = $1 and e.tenant_id = $1 and e.sequence = 6`,
            at(t),
          ),
        ),
      { brokenAt: 6, checked: 6, problem: 'HEAD_ALTERED' },
    ],
    [
      'a forged entry behind the end',
      (t) =>
        panel.sql(
          `insert into identity.audit_event
           select tenant_id, sequence + 1, event_id, category, 'forged', actor, actor_kind, target, client_address,
             request_id, details, occurred_at, recorded_at, hash, hash
           from identity.audit_event where tenant_id = $1 order by sequence desc limit 1`,
          at(t),
        ),
      { brokenAt: 9, checked: 8, problem: 'ROW_ADDED' },
    ],
    [
      'a removed trail',
      (t) =>
        panel
          .sql(`delete from identity.audit_event where tenant_id = $1`, at(t))
          .then(() => panel.sql(`delete from identity.audit_head where tenant_id = $1`, at(t))),
      { brokenAt: 1, checked: 0, problem: 'HEAD_MISSING' },
    ],
  ];
  test.concurrent.for(cases)('%s', async ([, tamper, expected]) => {
    const tenant = await tenantWithTrail(5);
    expect(await verify(tenant)).toMatchObject({ isIntact: true, checked: 8 });
    await tamper(tenant);
    expect(await verify(tenant)).toEqual({ isIntact: false, ...expected });
  });
});

test.concurrent('a head that was lost does not stop the trail, and the loss is told', async () => {
  const tenant = await tenantWithTrail();
  await panel.sql('delete from identity.audit_head where tenant_id = $1', [tenant.id]);
  await tenant.graphql(rename, { input: { name: 'After the loss' } });
  await settled(panel, tenant.id);
  expect(await verify(tenant)).toEqual({ isIntact: false, checked: 9, brokenAt: 9, problem: 'HEAD_MISSING' });
});

test.concurrent("the panel's own roles can neither change nor remove an entry", async () => {
  const tenant = await tenantWithTrail();
  for (const role of ['identity_app', 'identity_jobs']) {
    for (const statement of [
      `update identity.audit_event set actor = 'x' where tenant_id = '${tenant.id}'`,
      `delete from identity.audit_event where tenant_id = '${tenant.id}'`,
      `truncate identity.audit_event`,
    ]) {
      const attempt = panel.sql(
        `do $do$ begin set local role ${role}; perform set_config('app.tenant_id', '${tenant.id}', true); ${statement}; end $do$`,
      );
      await expect(attempt).rejects.toThrow(/permission denied/);
    }
  }
});

describe('the export', () => {
  test.concurrent('is the whole trail as CSV, oldest first, that no spreadsheet runs', async () => {
    const tenant = await panel.world.tenant();
    await tenant.rest('/api/fleet/summary', { headers: { 'x-request-id': 'x' } });
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
      '"sequence","id","occurred_at","recorded_at","category","action","actor","actor_kind","target","client_address","request_id","details","previous_hash","hash"',
    );
    expect(lines[1]).toMatch(/^"1","evt_.*","MUTATION","register"/);
    // A header of the client may start like a formula: it is marked as text.
    expect(lines.slice(2).map((line) => /"'(-\d-1)"/.exec(line)?.[1])).toEqual(['-0-1', '-1-1', '-2-1']);
    expect(answer.text).not.toMatch(/(^|,)"[=+@\-\t]/m);
    expect(answer.headers.get('x-ratelimit-limit')).not.toBeNull();
  });

  test.concurrent('is for owners and admins', async () => {
    const tenant = await panel.world.tenant();
    expect((await panel.world.rest('/audit/export')).status).toBe(401);
    expect((await panel.world.rest('/audit/export', { token: 'nonsense' })).status).toBe(401);
    const viewer = await tokenInRole(panel, tenant, 'VIEWER');
    expect((await panel.world.rest('/audit/export', { token: viewer })).status).toBe(403);
  });
});
