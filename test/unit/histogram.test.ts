import { Histogram as TheirHistogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';

import { Metrics } from '#platform/metrics.js';

const name = 'panel_test_seconds';
const help = 'Time that something took.';
const labelNames = ['kind', 'outcome'] as const;
const bounds = [0.001, 0.25, 1, 5];
const lines = (text: string) => text.split('\n').filter(Boolean).toSorted();

test('durations are told to Prometheus as by prom-client, on and between bounds and above all of them', async () => {
  const metrics = new Metrics();
  const note = metrics.histogram(name, help, labelNames, bounds);
  const registry = new Registry();
  const theirs = new TheirHistogram({ name, help, labelNames, buckets: bounds, registers: [registry] });
  for (const seconds of [0, 0.001, 0.0011, 0.25, 0.9, 1, 4, 5, 5.1, 400])
    for (const labels of [
      { kind: 'a', outcome: 'ok' },
      { kind: 'a', outcome: 'INTERNAL' },
      { kind: 'b "quoted"\n', outcome: 'ok' },
    ]) {
      note(seconds, labels);
      theirs.observe(labels, seconds);
    }
  const told = (await metrics.text()).split('\n').filter((line) => line.includes(name));
  expect(told.toSorted()).toEqual(lines(await registry.metrics()));
});

test('counts are what they were however often they are read, and labels may come in any order', async () => {
  const metrics = new Metrics();
  const count = metrics.counter('panel_test_total', help, labelNames);
  const read = async () => lines(await metrics.text()).filter((line) => line.startsWith('panel_test_total'));
  count({ kind: 'a', outcome: 'ok' });
  count({ outcome: 'ok', kind: 'a' });
  expect(await read()).toEqual(['panel_test_total{kind="a",outcome="ok"} 2']);
  expect(await read()).toEqual(['panel_test_total{kind="a",outcome="ok"} 2']);
  // Who asks for the same name counts the same.
  metrics.counter('panel_test_total', help, labelNames)({ kind: 'a', outcome: 'ok' });
  count({ kind: 'b', outcome: 'ok' });
  expect(await read()).toEqual([
    'panel_test_total{kind="a",outcome="ok"} 3',
    'panel_test_total{kind="b",outcome="ok"} 1',
  ]);
});

test('what is named beforehand is told as 0, and stays what it is when it is named once more', async () => {
  const metrics = new Metrics();
  const read = async () => lines(await metrics.text()).filter((line) => line.startsWith('panel_test_total'));
  const failed = { kind: 'a', outcome: 'failed' };
  const count = metrics.counter('panel_test_total', help, labelNames, [failed]);
  expect(await read()).toEqual(['panel_test_total{kind="a",outcome="failed"} 0']);
  count(failed);
  metrics.counter('panel_test_total', help, labelNames, [failed, { kind: 'b', outcome: 'failed' }]);
  expect(await read()).toEqual([
    'panel_test_total{kind="a",outcome="failed"} 1',
    'panel_test_total{kind="b",outcome="failed"} 0',
  ]);
});
