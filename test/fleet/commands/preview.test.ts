import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { create, encrypted, nodeWith, useScene } from '../../governance/support/tenant.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Node } from '../../support/world.js';
import { nodesOf, take } from './support/commands.js';
import { canaryOf, ids, make, preview, seen, send, tag, window } from './support/preview.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

const minute = 60_000;
const from = (ms: number) => new Date(panel.clock.now().getTime() + ms).toISOString();

describe('the preview of a command', () => {
  test('tells whom it is for, page by page, who of them is offline, and until when it would be taken up', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 4);
    const [first, second, third, silent] = nodes as [Node, Node, Node, Node];
    for (const node of [first, second, third]) await node.beat();
    for (const node of [second, third, silent]) await tag(tenant, node, 'blue');
    const groupId = await make(tenant, 'InstanceGroup', {
      kind: 'STATIC',
      name: 'One',
      instanceIds: [third.id],
    });
    const input = {
      command: 'RESTART',
      instanceIds: [third.id, first.id, third.id],
      groupIds: [groupId],
      tags: ['blue'],
      deliveryTimeoutSeconds: 600,
    };
    const { instances, ...about } = await seen(tenant, input, { first: 3 });
    expect(about).toEqual({
      total: 4,
      offline: 1,
      delayed: 0,
      refused: 0,
      admission: 'ADMITTED',
      policies: [],
      refusals: [],
      delays: [],
      canaries: [],
      expiresAt: from(10 * minute),
    });
    expect(instances).toEqual({
      nodes: [third, first, second].map(({ id, name }) => ({
        instanceId: id,
        isOffline: false,
        isRefused: false,
        delay: null,
        instance: { name },
      })),
      pageInfo: { endCursor: expect.any(String), hasNextPage: true },
      totalCount: 4,
    });
    const rest = await seen(tenant, input, { first: 3, after: instances.pageInfo.endCursor });
    expect(rest.instances).toMatchObject({
      nodes: [{ instanceId: silent.id, isOffline: true }],
      pageInfo: { hasNextPage: false },
    });
    const offline = await seen(tenant, input, { filter: { isOffline: true } });
    expect([ids([silent]), 1]).toEqual([
      offline.instances.nodes.map(({ instanceId }) => instanceId),
      offline.instances.totalCount,
    ]);
    // An instance that has left since its page is no place to go on from.
    const gone = await preview(
      tenant,
      { ...input, instanceIds: [first.id], tags: null, groupIds: null },
      {
        after: rest.instances.pageInfo.endCursor,
      },
    );
    expect(refusal(gone)).toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('joins what other areas know of those it touches, and whose they are', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    await create(tenant, { name: 'Encrypted', rule: encrypted });
    const answer = await tenant.graphql<{ previewCommand: object }>(
      `query ($input: SendCommandInput!) { previewCommand(input: $input) {
         tenant { name instanceCounts { total } }
         instances { nodes { instance { tags status activeAlerts { id } violations server { id } } } }
       } }`,
      { input: { command: 'RESTART', instanceIds: [node.id] } },
    );
    expect(dataOf(answer).previewCommand).toEqual({
      tenant: { name: expect.any(String), instanceCounts: { total: 1 } },
      instances: {
        nodes: [
          {
            instance: {
              tags: [],
              status: 'HEALTHY',
              activeAlerts: [],
              violations: 1,
              server: null,
            },
          },
        ],
      },
    });
  });

  test('tells which windows hold whom back and until when, and where it would expire before', async () => {
    const tenant = await panel.world.tenant();
    const [frozen, nightly, free] = (await nodesOf(tenant, 3)) as [Node, Node, Node];
    const groupOf = async (node: Node) =>
      make(tenant, 'InstanceGroup', { kind: 'STATIC', name: node.name, instanceIds: [node.id] });
    const froze = await groupOf(frozen);
    await window(tenant, { name: 'Freeze', effect: 'DENY', groupId: froze, durationMinutes: 31 });
    // It would be allowed only while the freeze goes on, and the next day.
    await window(tenant, {
      name: 'Short',
      effect: 'ALLOW',
      groupId: froze,
      startsAt: from(20 * minute),
      repeats: 'DAILY',
    });
    await window(tenant, {
      name: 'Night',
      effect: 'ALLOW',
      groupId: await groupOf(nightly),
      startsAt: from(30 * minute),
      repeats: 'WEEKLY',
    });
    const input = { command: 'RESTART', instanceIds: ids([frozen, nightly, free]) };
    const told = await seen(tenant, input);
    const night = { windows: [{ name: 'Night' }], until: from(30 * minute), expiresBefore: false, count: 1 };
    const day = 24 * 60 * minute;
    const freeze = {
      windows: [{ name: 'Freeze' }],
      until: from(day + 20 * minute),
      expiresBefore: true,
      count: 1,
    };
    expect([told.delayed, told.delays]).toEqual([2, [freeze, night]]);
    expect(told.instances.nodes.map(({ delay }) => delay?.until ?? null)).toEqual([
      freeze.until,
      night.until,
      null,
    ]);
    const longer = await seen(
      tenant,
      { ...input, deliveryTimeoutSeconds: 172_800 },
      { filter: { isDelayed: true } },
    );
    expect(longer.delays.map(({ expiresBefore }) => expiresBefore)).toEqual([false, false]);
    expect(longer.instances.totalCount).toBe(2);
    expect((await seen(tenant, { ...input, ignoresWindows: true })).delayed).toBe(0);
  });

  test('names the policies that refuse it, where, by what, and on how many, beyond the hundred that are told', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('ENTERPRISE');
    const bad = await nodeWith(tenant, { 'backup.encryption': false });
    const good = await nodeWith(tenant, { 'backup.encryption': true });
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      enforcement: 'MANDATORY',
      resolution: 'Set a passphrase.',
    });
    const input = { command: 'UPDATE', params: { version: '0.3.0' }, instanceIds: ids([good, bad]) };
    const policy = { policyId, policyName: 'Encrypted', resolution: 'Set a passphrase.' };
    const found = { condition: 'backup.encryption', operator: 'equals', expected: true, actual: false };
    const told = await seen(tenant, input, { filter: { isRefused: true } });
    expect(told).toMatchObject({
      admission: 'REFUSED',
      refused: 1,
      policies: [
        {
          ...policy,
          count: 1,
          refusals: [{ instanceId: bad.id, actual: false, instance: { name: bad.name } }],
        },
      ],
      refusals: [{ ...policy, instanceId: bad.id, ...found }],
      instances: { nodes: [{ instanceId: bad.id, isRefused: true }], totalCount: 1 },
    });
    // Many more nodes as that one: governance is told of them as fleet would tell it.
    await panel.sql(
      `insert into fleet.instance select (jsonb_populate_record(i, jsonb_build_object('id', i.id || 'x' || n,
         'name', i.name || n, 'hostname', i.hostname || n))).*
       from fleet.instance i, generate_series(1, 120) n where i.id = $1`,
      [bad.id],
    );
    await panel.sql(
      `insert into governance.node select (jsonb_populate_record(g, jsonb_build_object('id', g.id || 'x' || n))).*
       from governance.node g, generate_series(1, 120) n where g.id = $1`,
      [bad.id],
    );
    const all = ids([good, bad]).concat(Array.from({ length: 120 }, (_, at) => `${bad.id}x${at + 1}`));
    const last = all.at(-1)!;
    const ofLast = await create(tenant, {
      name: 'Only of the last',
      rule: encrypted,
      enforcement: 'MANDATORY',
      appliesTo: { instance_ids: [last] },
    });
    const many = await seen(tenant, { ...input, instanceIds: all }, { first: 1 });
    expect(many).toMatchObject({
      total: 122,
      refused: 121,
      policies: [
        { ...policy, count: 121 },
        {
          policyId: ofLast,
          count: 1,
          refusals: [{ instanceId: last, actual: false, instance: { name: `${bad.name}120` } }],
        },
      ],
    });
    expect(many.policies[0]!.refusals.map(({ instanceId }) => instanceId)).toEqual(all.slice(1, 21));
    expect(many.refusals.map(({ policyId: of }) => of)).toEqual(Array.from({ length: 100 }, () => policyId));
  });

  test('says what is wrong as sending does, names no instance of another tenant, and is for those who may send', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [mine, foreign] = [await tenant.node(), await other.node()];
    await tag(other, foreign, 'theirs');
    const groupId = await make(other, 'InstanceGroup', {
      kind: 'STATIC',
      name: 'Theirs',
      instanceIds: [foreign.id],
    });
    const wrong: Record<string, unknown>[] = [
      { command: 'RESTART' },
      { command: 'RESTART', tags: ['nobody'] },
      { command: 'RESTART', tags: ['theirs'] },
      { command: 'UPDATE', params: { version: 'newest', more: 1 }, instanceIds: [mine.id], maxErrors: -1 },
      { command: 'RESTART', instanceIds: [mine.id, foreign.id, 'inst_none'], groupIds: [groupId] },
      { command: 'RESTART', instanceIds: Array.from({ length: 1_001 }, () => mine.id) },
    ];
    for (const input of wrong) {
      const refused = refusal(await preview(tenant, input));
      expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', details: expect.any(Object) });
      expect(refused).toEqual(refusal(await send(tenant, input)));
    }
    await tag(tenant, mine, 'theirs');
    expect(ids([mine])).toEqual(
      (await seen(tenant, { command: 'RESTART', tags: ['theirs'] })).instances.nodes.map(
        ({ instanceId }) => instanceId,
      ),
    );
    const input = { command: 'RESTART', instanceIds: [mine.id] };
    const answer = await panel.world.graphql(
      'query ($input: SendCommandInput!) { previewCommand(input: $input) { total } }',
      { input },
      await tokenInRole(panel, tenant, 'VIEWER'),
    );
    expect(refusal(answer)).toEqual({ code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' });
  });

  test('sends nothing and keeps nothing, whatever key comes with it', async () => {
    const tenant = await panel.world.tenant();
    const [node] = (await nodesOf(tenant, 1)) as [Node];
    const input = { command: 'RESTART', instanceIds: [node.id], idempotencyKey: 'only-looking' };
    expect([await seen(tenant, input), await seen(tenant, input)]).toMatchObject([
      { total: 1 },
      { total: 1 },
    ]);
    expect(await take(node)).toEqual([]);
    const rows = await panel.sql(
      `select 1 from fleet.command where tenant_id = $1 union all select 1 from fleet.idempotency_key where tenant_id = $1
       union all select 1 from fleet.outbox where tenant_id = $1 and payload::text like '%previewCommand%'`,
      [tenant.id],
    );
    expect(rows).toEqual([]);
    // The key is still free.
    dataOf(await send(tenant, { ...input, command: 'BACKUP' }));
  });

  test('names a canary under way that some of them are in', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const [one, two] = [await nodeWith(tenant, {}), await nodeWith(tenant, {})];
    const canaryId = await canaryOf(panel, tenant, one);
    const told = await seen(tenant, { command: 'RESTART', instanceIds: ids([one, two]) });
    expect(told.canaries).toEqual([{ canaryId, canary: { name: 'To 0.3.0' }, count: 1 }]);
    const apart = await seen(tenant, { command: 'RESTART', instanceIds: [two.id] });
    expect(apart.canaries).toEqual([]);
  });
});
