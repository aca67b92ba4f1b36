import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { entryOf } from '../../identity/audit/support.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { group, override, overridesOf, remove, rulesInForce, set } from './support/overrides.js';
import { impatient, soon, updateRule } from './support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

describe('an override of a rule', () => {
  test('is set as a whole, goes behind the others unless it is told its place, and may be set again', async () => {
    const tenant = await panel.world.tenant();
    const [databases, builders] = [
      await group(tenant, 'databases', { kind: 'LIVE', filter: { tags: ['db'] } }),
      await group(tenant, 'builders', { kind: 'LIVE', filter: { tags: ['build'] } }),
    ];
    const first = { kind: 'DISK', groupId: databases, threshold: 95, forSeconds: 600 };
    for (let time = 0; time < 2; time += 1) {
      expect(await set(tenant, first)).toEqual({
        kind: 'DISK',
        groupId: databases,
        group: { name: 'databases' },
        priority: 10,
        isEnabled: null,
        severity: null,
        threshold: 95,
        forSeconds: 600,
        keepFiringForSeconds: null,
        updatedBy: tenant.user.id,
      });
    }
    expect(await set(tenant, { kind: 'DISK', groupId: builders, isEnabled: false })).toMatchObject({
      priority: 20,
    });
    // What is not said any more is as the rule says.
    expect(
      await set(tenant, { kind: 'DISK', groupId: databases, severity: 'INFO', priority: 25 }),
    ).toMatchObject({ priority: 25, severity: 'INFO', threshold: null, forSeconds: null });
    expect(await overridesOf(tenant, 'DISK')).toEqual([
      { groupId: builders, priority: 20 },
      { groupId: databases, priority: 25 },
    ]);
    expect(await overridesOf(tenant, 'CPU')).toEqual([]);
    dataOf(await tenant.graphql('mutation { resetAlertRule(kind: DISK) { kind } }'));
    expect(await overridesOf(tenant, 'DISK')).toHaveLength(2);
  });

  test('is refused with words for each field, and where its place is taken', async () => {
    const tenant = await panel.world.tenant();
    const id = await group(tenant, 'all', { kind: 'STATIC', instanceIds: [] });
    const refused = async (input: object) => refusal(await tenant.graphql(override, { input }));
    expect(
      await refused({ kind: 'OFFLINE', groupId: id, threshold: 101, priority: 0, keepFiringForSeconds: -1 }),
    ).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.priority': 'Priority must be from 1 to 10000',
        'input.threshold': 'Threshold must be at most 100',
        'input.keepFiringForSeconds': 'Keep firing for seconds must be from 0 to 86400',
      },
    });
    expect(await refused({ kind: 'COMMAND_FAILED', groupId: id, threshold: 5, forSeconds: 5 })).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.threshold': 'COMMAND_FAILED measures nothing',
        'input.forSeconds': 'COMMAND_FAILED fires at once',
      },
    });
    expect(await refused({ kind: 'CPU', groupId: id, priority: 5 })).toMatchObject({
      details: { 'input.isEnabled': expect.stringContaining('must set something') },
    });
    expect(await refused({ kind: 'CPU', groupId: 'grp_none', threshold: 5 })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.groupId': 'There is no group grp_none' },
    });
    await set(tenant, { kind: 'CPU', groupId: id, threshold: 99, priority: 10_000 });
    const other = await group(tenant, 'others', { kind: 'STATIC', instanceIds: [] });
    expect(await refused({ kind: 'CPU', groupId: other, threshold: 98, priority: 10_000 })).toEqual({
      code: 'CONFLICT',
      reason: 'PRIORITY_TAKEN',
      details: { groupId: id },
    });
    expect(await refused({ kind: 'CPU', groupId: other, threshold: 98 })).toMatchObject({
      details: { 'input.priority': expect.stringContaining('Say a priority') },
    });
    // Of another rule the place is free.
    expect(
      await set(tenant, { kind: 'DISK', groupId: other, threshold: 98, priority: 10_000 }),
    ).toMatchObject({
      priority: 10_000,
    });
  });

  test('is one of at most 20 of its rule', async () => {
    const tenant = await panel.world.tenant();
    const settled = async (at: number) => {
      const groupId = await group(tenant, `group ${at}`, { kind: 'STATIC', instanceIds: [] });
      return tenant.graphql(override, { input: { kind: 'CPU', groupId, threshold: 50 + at } });
    };
    for (let at = 0; at < 20; at += 1) dataOf(await settled(at));
    expect(refusal(await settled(20))).toMatchObject({ code: 'LIMIT_REACHED', reason: 'OVERRIDES_LIMIT' });
    expect(await overridesOf(tenant, 'CPU')).toHaveLength(20);
  });

  test('is for the tenant itself and those who may set rules; it goes by hand, more than once, or with its group', async () => {
    const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
    const ids = [
      await group(tenant, 'one', { kind: 'STATIC', instanceIds: [] }),
      await group(tenant, 'two', { kind: 'STATIC', instanceIds: [] }),
    ];
    for (const groupId of ids) await set(tenant, { kind: 'CPU', groupId, isEnabled: false });
    const [groupId, second] = ids as [string, string];
    const input = { kind: 'CPU', groupId, threshold: 1 };
    expect(refusal(await stranger.graphql(override, { input }))).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(refusal(await stranger.graphql(remove, { kind: 'CPU', groupId }))).toEqual({ code: 'NOT_FOUND' });
    const viewer = await tokenInRole(panel, tenant, 'VIEWER');
    for (const [document, variables] of [
      [override, { input }],
      [remove, { kind: 'CPU', groupId }],
    ] as const)
      expect(refusal(await panel.world.graphql(document, variables, viewer))).toMatchObject({
        code: 'FORBIDDEN',
      });
    expect(await overridesOf(tenant, 'CPU')).toHaveLength(2);
    for (let time = 0; time < 2; time += 1)
      expect(dataOf(await tenant.graphql(remove, { kind: 'CPU', groupId }))).toEqual({
        removeAlertRuleOverride: { kind: 'CPU', overrides: [{ groupId: second }] },
      });
    dataOf(
      await tenant.graphql('mutation($id: ID!) { deleteInstanceGroup(id: $id) { id } }', { id: second }),
    );
    expect(await overridesOf(tenant, 'CPU')).toEqual([]);
    expect(await entryOf(tenant, 'overrideAlertRule')).toMatchObject({
      target: 'CPU',
      actor: tenant.user.id,
      details: { changes: { groupId: second, groupName: 'two', isEnabled: false } },
    });
    expect(await entryOf(tenant, 'removeAlertRuleOverride')).toMatchObject({
      target: 'CPU',
      details: { changes: { groupId, removed: false } },
    });
  });
});

test('instances tell which rules are in force for them, and alerts by what they fired', async () => {
  const tenant = await panel.world.tenant();
  await impatient(tenant, 'CPU', 'DISK');
  const [db, builder, plain] = [
    await tenant.node('db'),
    await tenant.node('builder'),
    await tenant.node('plain'),
  ];
  const named = await group(tenant, 'databases', { kind: 'STATIC', instanceIds: [db.id, builder.id] });
  const live = await group(tenant, 'builders', { kind: 'LIVE', filter: { q: 'BUILD' } });
  await set(tenant, { kind: 'CPU', groupId: named, threshold: 60 });
  await set(tenant, { kind: 'CPU', groupId: live, isEnabled: false, priority: 5 });
  const cpu = (more: object) => ({
    kind: 'CPU',
    isEnabled: true,
    severity: 'WARNING',
    threshold: 90,
    forSeconds: 0,
    keepFiringForSeconds: 300,
    rule: { threshold: 90 },
    override: null,
    ...more,
  });
  const rules = await rulesInForce(tenant);
  expect([...rules].map(([name, all]) => [name, all.find(({ kind }) => kind === 'CPU')])).toEqual([
    ['db', cpu({ threshold: 60, override: { groupId: named, priority: 10 } })],
    ['builder', cpu({ isEnabled: false, override: { groupId: live, priority: 5 } })],
    ['plain', cpu({})],
  ]);
  for (const node of [db, builder, plain]) await node.beat({ cpu_percent: 70 });
  const query = '{ alerts { nodes { id instanceName threshold override { groupId groupName priority } } } }';
  const found = async () =>
    dataOf(await tenant.graphql<{ alerts: { nodes: { id: string }[] } }>(query)).alerts.nodes;
  await soon(panel, async () => (await found()).length > 0, 'an alert');
  expect(await found()).toEqual([
    {
      id: expect.any(String),
      instanceName: 'db',
      threshold: 60,
      override: { groupId: named, groupName: 'databases', priority: 10 },
    },
  ]);
  await updateRule(tenant, { kind: 'CPU', threshold: 65 });
  dataOf(await tenant.graphql(remove, { kind: 'CPU', groupId: live }));
  expect((await rulesInForce(tenant)).get('builder')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'CPU', threshold: 60, override: { groupId: named, priority: 10 } }),
    ]),
  );
  for (const node of [builder, plain]) await node.beat({ cpu_percent: 70 });
  await soon(panel, async () => (await found()).length === 3, 'the alerts that follow');
  expect(await found()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ instanceName: 'builder', threshold: 60 }),
      expect.objectContaining({ instanceName: 'plain', threshold: 65, override: null }),
    ]),
  );
});
