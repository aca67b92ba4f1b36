import 'reflect-metadata';
import { describe, expect, test } from 'vitest';

import { AlertBench } from './support/bench.js';

const bench = new AlertBench();
const busy = { cpuPercent: 97 };

describe('an override for a group', () => {
  const source = async (instanceId: string) =>
    bench.store.sql<{ status: string; severity: string; threshold: number; groupId: string | null }>(
      `select status, severity, threshold, rule_override ->> 'groupId' as "groupId" from fleet.alert
       where instance_id = $1 order by id`,
      [instanceId],
    );

  test('has another limit and severity than the rule, of its group alone, and its alert says so', async () => {
    const inside = await bench.node();
    const { tenantId, id } = inside.instance;
    const outside = await bench.node(tenantId);
    await bench.rule(tenantId, 'DISK', { threshold: 80 });
    const group = await bench.group(tenantId, id);
    await bench.override(tenantId, 'DISK', group, { threshold: 95, severity: 'CRITICAL' });
    await inside.beat(30, { diskPercent: 92 });
    await outside.beat(1, { diskPercent: 92 });
    expect([await inside.alerts(), await source(outside.instance.id)]).toEqual([
      [],
      [{ status: 'FIRING', severity: 'WARNING', threshold: 80, groupId: null }],
    ]);
    await inside.beat(30, { diskPercent: 95 });
    expect(await source(id)).toEqual([
      { status: 'FIRING', severity: 'CRITICAL', threshold: 95, groupId: group },
    ]);
  });

  test('may be stricter than any rule, and raise what the rule itself does not', async () => {
    const node = await bench.node();
    const { tenantId, id } = node.instance;
    await bench.rule(tenantId, 'CPU', { is_enabled: false });
    const group = await bench.group(tenantId, id);
    await bench.override(tenantId, 'CPU', group, { is_enabled: true, threshold: 5 });
    await node.beat(30, { cpuPercent: 6 });
    expect(await source(id)).toMatchObject([{ status: 'FIRING', threshold: 5, groupId: group }]);
  });

  test('that goes before another is in force, whichever was set first', async () => {
    const node = await bench.node();
    const { tenantId, id } = node.instance;
    await bench.rule(tenantId, 'CPU', {});
    const [later, first] = [await bench.group(tenantId, id), await bench.group(tenantId, id)];
    await bench.override(tenantId, 'CPU', later, { threshold: 30, priority: 20 });
    await bench.override(tenantId, 'CPU', first, { threshold: 60, priority: 10 });
    await node.beat(30, { cpuPercent: 50 });
    expect(await node.alerts()).toEqual([]);
    await bench.override(tenantId, 'CPU', first, { threshold: 60, priority: 30 });
    await node.beat(30, { cpuPercent: 50 });
    expect(await source(id)).toMatchObject([{ status: 'FIRING', threshold: 30, groupId: later }]);
  });

  test('that switches a rule off ends its alerts at the next look, and lets them come again once it is gone', async () => {
    const node = await bench.node();
    const { tenantId, id } = node.instance;
    await bench.rule(tenantId, 'CPU', {});
    await node.beat(30, busy);
    const group = await bench.group(tenantId, id);
    await bench.override(tenantId, 'CPU', group, { is_enabled: false });
    await bench.evaluate();
    expect(await source(id)).toMatchObject([{ status: 'RESOLVED', groupId: group }]);
    await node.beat(30, busy);
    expect(await node.alerts()).toHaveLength(1);
    await bench.store.sql('delete from fleet.instance_group where id = $1', [group]);
    await node.beat(30, busy);
    expect(await source(id)).toMatchObject([{ status: 'RESOLVED' }, { status: 'FIRING', groupId: null }]);
  });

  test('of a live group is in force from the beat after its instance comes into it, and until it goes', async () => {
    const node = await bench.node();
    const { tenantId, id } = node.instance;
    await bench.rule(tenantId, 'CPU', {});
    const group = `grp_${id}`;
    await bench.liveGroup(tenantId, group, { tags: ['build'] });
    await bench.override(tenantId, 'CPU', group, { threshold: 99, keep_firing_for_seconds: 0 });
    await node.beat(30, busy);
    expect(await source(id)).toMatchObject([{ status: 'FIRING', threshold: 90, groupId: null }]);
    await bench.store.sql(`update fleet.instance set tags = '{build,big}' where id = $1`, [id]);
    await node.beat(30, busy);
    await bench.evaluate();
    expect(await source(id)).toMatchObject([{ status: 'RESOLVED', threshold: 99, groupId: group }]);
    await bench.store.sql(`update fleet.instance set tags = '{}' where id = $1`, [id]);
    await node.beat(30, busy);
    expect(await source(id)).toMatchObject([{ status: 'RESOLVED' }, { status: 'FIRING', groupId: null }]);
  });

  test('keeps to its tenant, also where an instance of another is written into its group', async () => {
    const [mine, other] = [await bench.node(), await bench.node()];
    const group = await bench.group(mine.instance.tenantId, other.instance.id);
    await bench.override(mine.instance.tenantId, 'CPU', group, { is_enabled: false });
    await bench.rule(other.instance.tenantId, 'CPU', {});
    await other.beat(30, busy);
    expect(await source(other.instance.id)).toMatchObject([{ status: 'FIRING', groupId: null }]);
  });

  test('stays said of an alert whose instance was removed', async () => {
    const node = await bench.node();
    const { tenantId, id } = node.instance;
    const group = await bench.group(tenantId, id);
    await bench.override(tenantId, 'CPU', group, { threshold: 50, for_seconds: 0, severity: 'INFO' });
    await node.beat(30, busy);
    await bench.store.sql('delete from fleet.instance where id = $1', [id]);
    await bench.store.sql('delete from fleet.instance_group_member where instance_id = $1', [id]);
    await bench.evaluate();
    expect(await source(id)).toEqual([
      { status: 'RESOLVED', severity: 'INFO', threshold: 50, groupId: group },
    ]);
  });
});
