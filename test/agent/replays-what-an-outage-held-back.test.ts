import { expect, test } from 'vitest';

import { SampleBuffer } from '#agent/sample-buffer.js';

import { steadyMetrics, TestNode } from './support/node.js';

function samplesOf(body: Record<string, unknown> | undefined): { timestamp: string; sequence: number }[] {
  return (body?.['samples'] ?? []) as { timestamp: string; sequence: number }[];
}

test('beats of an outage are replayed with the next one that gets through, oldest first', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', { status: 503 }, { body: 'hang up' });
  await node.steps(4);

  const [, , third, fourth] = node.panel.beats.map(({ body }) => body);
  expect(third).toMatchObject({ cpu_percent: 35.2, sequence: 3 });
  const reading = {
    cpu_percent: 35.2,
    memory_percent: 62.1,
    disk_percent: 48.3,
    apps_count: 12,
    cpu_cores: 8,
    memory_gb: 32,
    net_rx_bytes: 5e9,
    net_tx_bytes: 3e9,
    load_average: 2.8,
    uptime_seconds: 864_000,
    version: '0.2.9',
  };
  expect(samplesOf(third)).toEqual([
    { ...reading, sequence: 1, timestamp: '2026-05-01T12:00:15.000Z' },
    { ...reading, sequence: 2, timestamp: '2026-05-01T12:00:15.500Z' },
  ]);
  expect(samplesOf(fourth)).toEqual([]);
});

test('samples stay until a 200 has acknowledged them', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script(
    'heartbeat',
    { status: 500 },
    { status: 500 },
    { body: '{"server_time":' },
    { body: 'hang up' },
  );
  await node.steps(6);

  const sequences = node.panel.beats.map(({ body }) => samplesOf(body).map(({ sequence }) => sequence));
  expect(sequences).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], []]);
});

test('readings are kept at their pace while the panel is left alone, an hour of them at most, sent by hundreds', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', {
    status: 503,
    headers: { 'retry-after': '3600' },
    body: { error: 'Unavailable' },
  });
  await node.step();
  while (node.panel.beats.length < 2) await node.step();
  await node.steps(2);

  const [, second, third, fourth] = node.panel.beats.map(({ body }) => samplesOf(body));
  expect([second?.length, third?.length, fourth?.length]).toEqual([100, 20, 0]);
  // 127 readings were taken; of the oldest the buffer of 120 has kept none.
  expect(second?.[0]?.sequence).toBe(7);
  expect(third?.at(-1)?.sequence).toBe(126);
});

test('a body the panel can not take is narrowed down to the bad sample, which alone is given up', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.always({ status: 503 });
  await node.steps(5);
  // Sequence 2 is the one that the panel can't take.
  const invalid = { status: 422, body: { error: 'Validation failed' } };
  node.panel.always(undefined);
  node.panel.script('heartbeat', invalid, node.panel.accepting(), invalid, invalid);
  await node.steps(6);

  const sent = node.panel.beats.slice(5).map(({ body }) => samplesOf(body).map(({ sequence }) => sequence));
  expect(sent).toEqual([[1, 2, 3, 4, 5], [1], [2, 3, 4, 5], [2], [3], [4, 5, 6, 8]]);
});

test('a full buffer drops its oldest', () => {
  const buffer = new SampleBuffer(3);
  const samples = [1, 2, 3, 4, 5].map((sequence) => ({
    sequence,
    takenAt: new Date(0),
    metrics: steadyMetrics,
  }));
  for (const sample of samples) buffer.push(sample);
  expect(buffer.oldest(9).map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
  buffer.remove(buffer.oldest(2));
  expect(buffer.oldest(9).map(({ sequence }) => sequence)).toEqual([5]);
  buffer.remove(buffer.oldest(2));
  expect(buffer.size).toBe(0);
});
