import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createAgent } from '#agent/agent.js';
import type { Clock } from '#agent/clock.js';
import { systemClock } from '#agent/clock.js';
import { Visits } from '#agent/impersonation/visits.js';
import { createLogger } from '#agent/logger.js';
import { simulatedMetrics } from '#agent/metrics/simulated.js';
import { createPanelClient } from '#agent/panel-client.js';
import { ExpiringMap } from '#agent/sign-in/expiring-map.js';
import { memoryStateStore } from '#agent/state-store.js';
import { Timeline } from '#agent/timeline.js';

import { samplesOf } from '../fleet/support/stored.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node } from '../support/world.js';
import { HandClock } from './support/hand-clock.js';
import { kept } from './support/log.js';
import { steadyMetrics, TestNode } from './support/node.js';

const hour = 3_600_000;
/** As at a first boot without a battery, before NTP; and by hours, both ways. */
const settings: [string, number][] = [
  ['on by 56 years', 56 * 365 * 24 * hour],
  ['on by three hours', 3 * hour],
  ['back by three hours', -3 * hour],
  ['on by 47 seconds', 47_000],
  ['back by 17 seconds', -17_000],
];

describe('on a panel', () => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel();
  });
  afterAll(async () => panel.stop());

  /** A node by whose clock it is another time than by the panel's, and whose calls a test can take away. */
  async function startNode(offMs: number) {
    const tenant = await panel.world.tenant();
    const way: { fails?: 'before' | 'after' } = {};
    const clock = {
      offMs,
      now: () => new Date(panel.clock.now().getTime() + clock.offMs),
      elapsed: () => panel.clock.now().getTime(),
      delay: async (ms: number, signal?: AbortSignal) => panel.clock.delay(ms, signal),
    };
    const seen: string[] = [];
    let cpuPercent = 0;
    const agent = createAgent({
      panelUrl: panel.panel.url,
      enrollmentToken: await tenant.enrollmentToken(),
      name: 'node',
      hostname: 'node.example.com',
      version: '0.2.9',
      stateStore: memoryStateStore(),
      // Each reading can be told from the others.
      metrics: { collect: async () => ({ ...steadyMetrics, cpuPercent: (cpuPercent += 1) }) },
      logger: createLogger('silent'),
      clock,
      random: () => 0.5,
      firstBeatWithinMs: 0,
      fetch: async (...call) => {
        if (way.fails === 'before') throw new Error('connect ETIMEDOUT');
        const answer = await fetch(...call);
        if (way.fails === 'after') throw new Error('socket hang up');
        return answer;
      },
      onEvent: ({ type }) => seen.push(type),
    });
    await agent.start();
    onTestFinished(() => agent.stop());
    const beats = () => seen.filter((type) => type.startsWith('beat-')).length;
    const pass = async (count: number) =>
      until(async () => {
        await panel.clock.advance(15_000);
        return beats() >= count;
      }, 'its beats');
    await pass(1);
    return {
      tenant,
      clock,
      way,
      seen,
      node: { id: agent.instanceId } as Node,
      readings: () => cpuPercent,
      /** Passes the time until it has beaten so often again. */
      beats: async (count: number) => pass(beats() + count),
    };
  }

  test.each(settings)(
    'readings of an outage in which the clock is set %s are all told, once, at the times when they were taken',
    async (_, byMs) => {
      const began = panel.clock.now().getTime();
      const { clock, node, way, seen, beats, readings, tenant } = await startNode(-byMs);
      await beats(1);
      // One the panel has stored without the node knowing, and some that it never heard of.
      way.fails = 'after';
      await beats(1);
      way.fails = 'before';
      await beats(2);
      clock.offMs += byMs;
      await beats(2);
      delete way.fails;
      await beats(3);
      expect(seen.slice(-3)).toEqual(Array.from({ length: 3 }, () => 'beat-accepted'));

      const samples = await samplesOf(panel, node);
      const cpu = samples.map(({ cpu_percent: percent }) => Number(percent));
      expect(cpu).toEqual(Array.from({ length: readings() }, (_, at) => at + 1));
      const times = samples.map(({ at }) => (at as Date).getTime());
      // What the panel takes off a clock is in steps of half a minute.
      expect(Math.min(...times)).toBeGreaterThan(began - 31_000);
      expect(Math.max(...times)).toBeLessThan(panel.clock.now().getTime() + 31_000);
      const answer = await tenant.graphql<{ instance: { statusReasons: { code: string }[] } }>(
        'query($id: ID!) { instance(id: $id) { statusReasons { code } } }',
        { id: node.id },
      );
      // By then it is told by the clock as it was set.
      expect(dataOf(answer).instance.statusReasons.map(({ code }) => code)).not.toContain('CLOCK_SKEW');
    },
  );

  test.each(settings)(
    'a clock that is set %s between two beats loses none and doubles none',
    async (_, byMs) => {
      const { clock, node, seen, beats, readings } = await startNode(-byMs);
      await beats(3);
      clock.offMs += byMs;
      await beats(3);
      expect(new Set(seen.filter((type) => type !== 'enrolled'))).toEqual(new Set(['beat-accepted']));
      const samples = await samplesOf(panel, node);
      expect(samples.map(({ cpu_percent: percent }) => Number(percent)).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: readings() }, (_, at) => at + 1),
      );
    },
  );
});

test.each([3 * hour, -3 * hour])(
  'a clock that is set by %s ms while the node waits moves neither its next beat nor its next try, and is told once',
  async (byMs) => {
    const log = kept();
    const node = await TestNode.create({ logger: log.logger });
    await node.start();
    await node.step();
    node.clock.set(byMs);
    expect(await node.step()).toBe(30_000);
    node.panel.always({ status: 503 });
    await node.step();
    node.clock.set(byMs);
    node.panel.script('heartbeat', { status: 503 }, node.panel.accepting());
    expect(await node.steps(3)).toEqual([500, 1_000, 30_000]);
    expect(
      log.lines.filter(({ msg }) => msg.startsWith('The clock')).map((line) => line['bySeconds']),
    ).toEqual([byMs / 1000, byMs / 1000]);
    const back = log.lines.find(({ msg }) => msg.startsWith('The panel is back'));
    expect(back).toMatchObject({ awaySeconds: 2, replayed: 2 });
  },
);

test('sessions and what is remembered for a while last as long, whatever the clock is set to', async () => {
  const clock = new HandClock();
  const lasting = new ExpiringMap<string>(clock, { lifetimeMs: 60_000, max: 10 });
  const user = { id: 'usr_1', email: 'ada@example.com', name: 'Ada' };
  const visits = new Visits({
    clock,
    logger: createLogger('silent'),
    redeem: async () => ({
      kind: 'ok',
      answer: { user, actor: 'usr_1', reason: undefined, expiresInSeconds: 60 },
    }),
  });
  const [key, visit] = [lasting.add('here'), await visits.begin('token')];
  clock.set(5 * hour);
  expect([lasting.get(key), visits.get(visit)?.actor]).toEqual(['here', 'usr_1']);
  clock.set(-10 * hour);
  const over = clock.delay(60_001);
  await clock.wake();
  await over;
  expect([lasting.get(key), visits.get(visit)]).toEqual([undefined, undefined]);
});

test('counters and uptime of a simulated node grow with time that passed, whatever the clock is set to', async () => {
  const clock = new HandClock();
  const profile = {
    name: 'n',
    hostname: 'n.example.com',
    version: '0.2.9',
    appsCount: 1,
    cpuPercent: 10,
    memoryPercent: 10,
    diskPercent: 10,
    cpuCores: 1,
    memoryGb: 1,
  };
  const metrics = simulatedMetrics(profile, { clock });
  const before = await metrics.collect();
  for (const by of [2 * hour, -4 * hour]) {
    clock.set(by);
    const waited = clock.delay(30_000);
    await clock.wake();
    await waited;
  }
  const after = await metrics.collect();
  expect(after.uptimeSeconds! - before.uptimeSeconds!).toBe(60);
  expect(after.netRxBytes! - before.netRxBytes!).toBeLessThan(60 * 2 * 20_000 * 1.5);
  expect(after.netRxBytes!).toBeGreaterThan(before.netRxBytes!);
});

test('no two readings that wait have one time, however close they were taken', () => {
  const timeline = new Timeline(new HandClock(), createLogger('silent'));
  const times = [false, true, true, true].map((isAnyWaiting) => timeline.next(isAnyWaiting).getTime());
  expect(new Set(times).size).toBe(4);
});

test('the machine tells what has elapsed apart from the time of day, and a clock without that by this', async () => {
  const before = systemClock.elapsed!();
  await sleep(50);
  const passed = systemClock.elapsed!() - before;
  expect(passed).toBeGreaterThanOrEqual(30);
  expect(passed).toBeLessThan(20_000);
  expect(Math.abs(systemClock.elapsed!() - Date.now())).toBeGreaterThan(24 * hour);
});

test('a certificate that has no effect at this time of day is told of with the time', async () => {
  const clock: Clock = { now: () => new Date('1970-01-01T00:05:00Z'), delay: async () => undefined };
  const untimely: typeof fetch = async () => {
    const cause = Object.assign(new Error('certificate is not yet valid'), { code: 'CERT_NOT_YET_VALID' });
    throw new TypeError('fetch failed', { cause });
  };
  const client = createPanelClient({
    panelUrl: 'https://p.example',
    clock,
    timeoutMs: 1_000,
    fetch: untimely,
  });
  expect(await client.depart('cred', new AbortController().signal)).toEqual({
    kind: 'unavailable',
    message: "certificate is not yet valid, by this machine's clock, which says 1970-01-01T00:05:00.000Z",
  });
});
