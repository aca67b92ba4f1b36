import 'reflect-metadata';
import { describe, expect, test } from 'vitest';

import { evaluateSweep } from '#subgraphs/fleet/alert/evaluate.job.js';
import { ComponentStatus } from '#subgraphs/fleet/heartbeat/heartbeat.rules.js';

import { rowsRead } from '../../support/rows-read.js';
import { AlertBench } from './support/bench.js';

const bench = new AlertBench();
const busy = { cpuPercent: 97 };
const alert = (rule: string, status: string, count: number, component = '') => ({
  rule,
  component,
  status,
  count,
});
const unhealthy = (component: string, message?: string) => ({
  component,
  status: ComponentStatus.UNHEALTHY,
  ...(message === undefined ? {} : { message }),
});

describe('one condition is one alert', () => {
  test('1 000 repeats are one alert with a count of 1 000, and one announcement', async () => {
    const node = await bench.node();
    await node.beat(3, busy);
    for (let look = 0; look < 111; look += 1) {
      for (let at = 0; at < 8; at += 1) await node.beatUnseen(3, busy);
      await node.beat(3, busy);
    }
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 1_000)]);
    expect(await node.firings()).toEqual(['CPU']);
  });

  test('beats that came while nobody looked are counted all the same', async () => {
    const node = await bench.node();
    await node.beat(30, busy);
    for (let at = 0; at < 50; at += 1) await node.beatUnseen(30, busy);
    await bench.evaluate();
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 51)]);
  });

  test('looking again without a new beat counts nothing', async () => {
    const node = await bench.node();
    await node.beat(30, busy);
    for (let at = 0; at < 5; at += 1) await bench.evaluate();
    expect(await node.alerts()).toEqual([alert('CPU', 'PENDING', 1)]);
  });

  test('each component has an alert of its own, even when the node names it twice', async () => {
    const node = await bench.node();
    const health = [unhealthy('backup', 'no space'), unhealthy('proxy'), unhealthy('proxy')];
    for (let at = 0; at < 3; at += 1) await node.beat(30, { health });
    const found = (await node.alerts()).toSorted((a, b) => a.component.localeCompare(b.component));
    expect(found).toEqual([
      alert('COMPONENT_UNHEALTHY', 'FIRING', 3, 'backup'),
      alert('COMPONENT_UNHEALTHY', 'FIRING', 3, 'proxy'),
    ]);
    expect(await node.firings()).toHaveLength(2);
  });

  test('a component that is degraded raises nothing', async () => {
    const node = await bench.node();
    const health = [{ component: 'backup', status: ComponentStatus.DEGRADED }];
    for (let at = 0; at < 4; at += 1) await node.beat(30, { health });
    expect(await node.alerts()).toEqual([]);
  });
});

describe('what was not measured says nothing', () => {
  const blind = { cpuPercent: null, memoryPercent: null, diskPercent: null };

  test('it raises nothing, and ends nothing that goes on', async () => {
    const node = await bench.node();
    for (let at = 0; at < 4; at += 1) await node.beat(30, blind);
    expect(await node.alerts()).toEqual([]);
    for (let at = 0; at < 3; at += 1) await node.beat(30, busy);
    for (let at = 0; at < 30; at += 1) await node.beatUnseen(30, blind);
    await node.beat(30, blind);
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 3)]);
    for (let at = 0; at < 12; at += 1) await node.beat(30);
    expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 3)]);
  });
});

describe('flapping', () => {
  test('a condition that passes before its time raises nothing and leaves nothing', async () => {
    const node = await bench.node();
    await node.beat(30, busy);
    await node.beat(30, busy);
    await node.beat(15);
    expect([await node.alerts(), await node.firings()]).toEqual([[], []]);
  });

  test('a square wave is one alert that fires once', async () => {
    const node = await bench.node();
    for (let wave = 0; wave < 20; wave += 1) {
      for (let at = 0; at < 4; at += 1) await node.beat(30, busy);
      for (let at = 0; at < 4; at += 1) await node.beat(30);
    }
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 80)]);
    expect(await node.firings()).toEqual(['CPU']);
  });

  test('one that is gone for long enough resolves, and comes back as a new alert', async () => {
    const node = await bench.node();
    for (let at = 0; at < 3; at += 1) await node.beat(30, busy);
    for (let at = 0; at < 11; at += 1) await node.beat(30);
    expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 3)]);
    for (let at = 0; at < 3; at += 1) await node.beat(30, busy);
    expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 3), alert('CPU', 'FIRING', 3)]);
    expect(await node.firings()).toEqual(['CPU', 'CPU']);
  });

  test('a dip between two looks is seen in what was measured meanwhile', async () => {
    const node = await bench.node();
    await node.beat(30, busy);
    await node.beatUnseen(30);
    await node.beat(30, busy);
    expect(await node.alerts()).toEqual([alert('CPU', 'PENDING', 1)]);
  });
});

describe('an outage', () => {
  test('of a node with everything wrong raises one alert, not five', async () => {
    const node = await bench.node();
    await node.beat(30);
    await node.beat(30, {
      cpuPercent: 100,
      memoryPercent: 100,
      diskPercent: 100,
      health: [unhealthy('backup')],
    });
    expect((await node.alerts()).map(({ status }) => status)).toEqual(Array(4).fill('PENDING'));
    await bench.pass(3_600);
    expect(await node.alerts()).toEqual([alert('OFFLINE', 'FIRING', 1)]);
    expect(await node.firings()).toEqual(['OFFLINE']);
  });

  test('that ends resolves after a minute of beats; one that returns within it is the same alert', async () => {
    const node = await bench.node();
    await node.beat(30);
    await bench.pass(95);
    await node.beat(5);
    await bench.pass(55);
    expect(await node.alerts()).toEqual([alert('OFFLINE', 'FIRING', 1)]);
    await bench.pass(5);
    expect(await node.alerts()).toEqual([alert('OFFLINE', 'RESOLVED', 1)]);

    await node.beat(10);
    await bench.rule(node.instance.tenantId, 'OFFLINE', { threshold: null, keep: 600 });
    await bench.pass(95);
    await node.beat(5);
    await bench.pass(95);
    expect(await node.alerts()).toEqual([alert('OFFLINE', 'RESOLVED', 1), alert('OFFLINE', 'FIRING', 2)]);
    expect(await node.firings()).toEqual(['OFFLINE', 'OFFLINE']);
  });

  test('of a node that never beat raises nothing', async () => {
    const node = await bench.node();
    await bench.pass(300);
    expect(await node.alerts()).toEqual([]);
  });

  test('keeps what fired before it as it was, and what goes on after it goes on', async () => {
    const node = await bench.node();
    for (let at = 0; at < 3; at += 1) await node.beat(30, busy);
    await bench.pass(600);
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 3), alert('OFFLINE', 'FIRING', 1)]);
    await node.beat(5, busy);
    expect(await node.alerts()).toEqual([alert('CPU', 'FIRING', 4), alert('OFFLINE', 'FIRING', 1)]);
    expect(await node.firings()).toEqual(['CPU', 'OFFLINE']);
  });
});

describe('a rule', () => {
  test('that is switched off resolves its alerts, and raises them again once it is on', async () => {
    const node = await bench.node();
    await bench.rule(node.instance.tenantId, 'CPU', {});
    await node.beat(30, busy);
    await bench.rule(node.instance.tenantId, 'CPU', { is_enabled: false });
    await bench.evaluate();
    expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 1)]);
    await bench.evaluate();
    await bench.rule(node.instance.tenantId, 'CPU', {});
    await bench.evaluate();
    expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 1), alert('CPU', 'FIRING', 1)]);
  });

  test('holds for its own tenant only', async () => {
    const [strict, lenient] = [await bench.node(), await bench.node()];
    await bench.rule(strict.instance.tenantId, 'CPU', { threshold: 50 });
    await strict.beat(30, { cpuPercent: 60 });
    await lenient.beat(1, { cpuPercent: 60 });
    expect([await strict.alerts(), await lenient.alerts()]).toEqual([[alert('CPU', 'FIRING', 1)], []]);
  });

  test('is met at its threshold exactly', async () => {
    const node = await bench.node();
    await bench.rule(node.instance.tenantId, 'DISK', { threshold: 80 });
    await node.beat(30, { diskPercent: 79.9 });
    expect(await node.alerts()).toEqual([]);
    await node.beat(30, { diskPercent: 80 });
    expect(await node.alerts()).toEqual([alert('DISK', 'FIRING', 1)]);
  });
});

test('alerts of an instance that is removed are over', async () => {
  const node = await bench.node();
  await bench.rule(node.instance.tenantId, 'CPU', {});
  await node.beat(30, busy);
  await bench.store.sql('delete from fleet.instance where id = $1', [node.instance.id]);
  await bench.evaluate();
  expect(await node.alerts()).toEqual([alert('CPU', 'RESOLVED', 1)]);
});

test('with nothing wrong a look reads each instance once', async () => {
  const node = await bench.node();
  await node.beat(3);
  const { id } = node.instance;
  await bench.store.sql(
    `insert into fleet.instance select (jsonb_populate_record(i, jsonb_build_object('id', i.id || n))).*
     from fleet.instance i, generate_series(1, 3000) n where i.id = $1`,
    [id],
  );
  await bench.store.sql('analyze fleet.instance, fleet.alert');
  const none = () => undefined;
  const read = await bench.store.database.forJobs().transactional(async (em) => {
    const before = await rowsRead(em, 'fleet.instance');
    await evaluateSweep(30).run({ em, now: bench.clock.now(), publish: none, enqueue: none });
    return (await rowsRead(em, 'fleet.instance')) - before;
  });
  await bench.store.sql(`delete from fleet.instance where id like $1 || '_%'`, [id]);
  expect(read).toBeGreaterThan(3_000);
  expect(read).toBeLessThan(4_000);
});
