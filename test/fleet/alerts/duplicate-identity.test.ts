import 'reflect-metadata';
import { expect, test } from 'vitest';

import { AlertBench, type BenchNode } from './support/bench.js';

const bench = new AlertBench();
const minute = 60;
const alert = (status: string, count: number) => ({
  rule: 'DUPLICATE_IDENTITY',
  component: '',
  status,
  count,
});

/** Two nodes with one credential take turns, each with a count of its own. */
async function clone(node: BenchNode, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await node.beat(10, { sequence: 1_000 + turn });
    await node.beat(10, { sequence: 10 + turn });
  }
}

test('two nodes with one credential raise one alert, which is over once they have been apart for long enough', async () => {
  const node = await bench.node();
  await clone(node, 2);
  expect(await node.alerts()).toEqual([]);
  await clone(node, 3);
  expect(await node.alerts()).toEqual([alert('FIRING', 4)]);
  expect(await node.firings()).toEqual(['DUPLICATE_IDENTITY']);

  // The one that stays goes on from where it is.
  for (let at = 0; at < 9; at += 1) await node.beat(minute, { sequence: 13 + at });
  expect(await node.alerts()).toEqual([alert('FIRING', 4)]);
  await node.beat(minute, { sequence: 22 });
  expect(await node.alerts()).toEqual([alert('RESOLVED', 4)]);
  for (let at = 0; at < 3; at += 1) await node.beat(minute, { sequence: 23 + at });
  expect(await node.alerts()).toEqual([alert('RESOLVED', 4)]);
});

test('a node that was restored from a backup raises none', async () => {
  const node = await bench.node();
  await node.beat(10, { sequence: 1_000 });
  for (let at = 0; at < 5; at += 1) await node.beat(30, { sequence: 10 + at });
  expect(await node.alerts()).toEqual([]);
});

test('the rule has a patience of its own, and can be switched off', async () => {
  const [patient, off] = [await bench.node(), await bench.node()];
  await bench.rule(patient.instance.tenantId, 'DUPLICATE_IDENTITY', { threshold: null, for_seconds: 120 });
  await bench.rule(off.instance.tenantId, 'DUPLICATE_IDENTITY', { threshold: null, is_enabled: false });
  await clone(off, 4);
  expect(await off.alerts()).toEqual([]);
  await clone(patient, 2);
  await patient.beat(10, { sequence: 1_002 });
  expect(await patient.alerts()).toEqual([alert('PENDING', 1)]);
  // Nothing more is seen of it, but it counts as such for ten minutes.
  await bench.pass(120);
  expect((await patient.alerts())[0]).toEqual(alert('FIRING', 1));
});

test('one that somebody resolved comes back when the other count goes on, and not before', async () => {
  const node = await bench.node();
  await clone(node, 3);
  await bench.store.sql(
    `update fleet.alert set status = 'RESOLVED', resolved_at = now(), resolution = 'BY_HAND' where tenant_id = $1`,
    [node.instance.tenantId],
  );
  const [before] = await node.alerts();
  await node.beat(10, { sequence: 13 });
  expect(await node.alerts()).toEqual([before]);
  await node.beat(10, { sequence: 1_003 });
  expect(await node.alerts()).toEqual([before, alert('FIRING', 1)]);
});
