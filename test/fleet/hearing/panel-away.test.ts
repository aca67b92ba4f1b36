import 'reflect-metadata';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { evaluateSweep } from '#subgraphs/fleet/alert/evaluate.job.js';
import { HearingStore } from '#subgraphs/fleet/hearing/hearing-store.job.js';
import { Hearing } from '#subgraphs/fleet/hearing/hearing.js';
import { patienceFor, silenceAt, type Patience } from '#subgraphs/fleet/hearing/hearing.rules.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';

import { TestClock } from '../../support/clock.js';
import { openFleetStore, receivedBeat, runSweep, type FleetStore } from '../../support/fleet-store.js';
import { until } from '../../support/world.js';
import { nobodySuspended } from '../support/suspension.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
let clock: TestClock;
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, new TestClock(), 30);
});
beforeEach(async () => {
  clock = new TestClock();
  await store.sql('delete from fleet.hearing');
  await store.sql('delete from fleet.alert');
  await store.sql('delete from fleet.instance');
});
afterAll(async () => {
  await ingest.stop();
  await store.stop();
});

const minutes = (count: number) => count * 60_000;

/** A process of the panel, as far as it hears. */
async function startProcess(
  options: { patience?: Patience; isReached?: () => boolean } = {},
): Promise<Hearing> {
  const { patience = patienceFor(30), ...more } = options;
  const hearing = new Hearing({
    store: new HearingStore(store.database, patience),
    patience,
    clock,
    logger: silentLogger,
    ...more,
  });
  onTestFinished(() => hearing.stop());
  await hearing.start();
  return hearing;
}

/** Waits until what the processes have noted is stored: time moved on in one go, and the database takes real time. */
async function noted(toleranceMs = 15_000): Promise<void> {
  const isStored = async () => {
    const [row] = await store.sql<{ until: Date }>('select heard_until as until from fleet.hearing');
    return row !== undefined && row.until.getTime() + toleranceMs / 4 >= clock.now().getTime() + toleranceMs;
  };
  await until(isStored, 'what was heard to be stored');
}

async function pass(ms: number): Promise<void> {
  await clock.advance(ms);
  await noted();
}

/** Nodes that have just beaten. */
async function fleetOf(count: number): Promise<{ tenantId: string; id: string }[]> {
  const rows = await store.sql<{ tenantId: string; id: string }>(
    `insert into fleet.instance (tenant_id, id, name, hostname, version, base_url, redirect_uris, tags, enrolled_at,
       enrollment_token_id)
     select 'org_' || n % 7, 'inst_' || n, 'n', 'h', '0.2.9', 'b', '{}', '{}', now(), 'etk'
     from generate_series(1, $1::int) n returning tenant_id as "tenantId", id`,
    [count],
  );
  return rows;
}

async function beat(hearing: Hearing, nodes: readonly { tenantId: string; id: string }[]): Promise<void> {
  const now = clock.now();
  const { countsTo } = hearing.at(now);
  const beats = nodes.map((node) => ({ ...receivedBeat(node, now), countsTo }));
  const outcomes = await ingest.store(beats);
  expect(outcomes.filter((outcome) => 'error' in outcome)).toEqual([]);
}

/** What the lease holder does by itself; answers all that it told, but for what it makes of beats. */
async function look(): Promise<OutboxEvent[]> {
  return [
    ...(await runSweep(store.database, expirySweep(nobodySuspended), clock.now())),
    ...(await runSweep(store.database, evaluateSweep(30), clock.now())),
  ];
}

async function offlineIds(): Promise<string[]> {
  const rows = await store.sql<{ id: string }>(
    `select id from fleet.instance where announced_status = 'OFFLINE' order by id`,
  );
  return rows.map(({ id }) => id);
}

async function transitionsTold(): Promise<number> {
  const [row] = await store.sql<{ count: number }>(
    `select count(*)::int as count from fleet.outbox where topic = 'fleet.instance.changed' and payload ->> 'to' = 'OFFLINE'`,
  );
  return row!.count;
}

describe('a panel that was away for five minutes, over a thousand nodes', () => {
  test('tells nobody offline and raises no alert; one that is really dead is offline one deadline later', async () => {
    const before = await startProcess();
    const nodes = await fleetOf(1_000);
    const [gone, dead] = [nodes[0]!, nodes[1]!];
    await beat(before, nodes);
    await pass(60_000);
    await beat(before, nodes.slice(1));
    await pass(30_000);
    await look();
    expect(await offlineIds()).toEqual([gone.id]);
    const [{ since }] = (await store.sql<{ since: Date }>(
      'select offline_at as since from fleet.instance where id = $1',
      [gone.id],
    )) as [{ since: Date }];
    const told = await transitionsTold();

    await before.stop();
    await clock.leap(minutes(5));
    const after = await startProcess();
    expect(await look(), 'at once').toEqual([]);
    // Nodes that tried again in vain are back at any time within their deadline.
    for (const part of [nodes.slice(2, 300), nodes.slice(300, 700), nodes.slice(700)]) {
      await pass(29_000);
      await beat(after, part);
      expect(await look()).toEqual([]);
    }
    expect(await transitionsTold()).toBe(told);
    expect(await offlineIds()).toEqual([gone.id]);

    await pass(3_000);
    expect((await look()).map(({ topic, entityId }) => [topic, entityId === dead.id])).toEqual([
      ['fleet.instance.changed', true],
      ['fleet.alert.changed', false],
    ]);
    const rows = await store.sql(
      `select id, offline_at from fleet.instance where announced_status = 'OFFLINE' order by id`,
    );
    const againFrom = new Date(clock.now().getTime() - 3 * 29_000 - 3_000);
    expect(rows).toEqual([
      { id: gone.id, offline_at: since },
      { id: dead.id, offline_at: new Date(againFrom.getTime() + 90_000) },
    ]);
  });

  test.for([
    ['was frozen, or its machine asleep', async () => undefined],
    ['failed over to another', async (first: Hearing) => first.stop()],
  ] as const)('the same where it %s', async ([, leave]) => {
    const first = await startProcess();
    const nodes = await fleetOf(1_000);
    await beat(first, nodes);
    await pass(20_000);
    await leave(first);
    await clock.leap(minutes(5));
    // Before it has come to notice by itself: what is not known to have been heard does not count.
    expect(first.at(clock.now()).countsTo < clock.now()).toBe(true);
    const second = await startProcess();
    expect([await look(), await offlineIds()]).toEqual([[], []]);
    await pass(60_000);
    await beat(second, nodes);
    await pass(60_000);
    expect([await look(), await offlineIds()]).toEqual([[], []]);
  });
});

test('a second time away within the patience after the first does not end it, nor make offline what it spared', async () => {
  let hearing = await startProcess();
  const nodes = await fleetOf(3);
  await beat(hearing, nodes);
  for (const awayFor of [minutes(5), minutes(2), minutes(9)]) {
    await hearing.stop();
    await clock.leap(awayFor);
    hearing = await startProcess();
    expect(await look()).toEqual([]);
    await pass(45_000);
    expect(await look()).toEqual([]);
  }
  await pass(46_000);
  await look();
  expect(await offlineIds()).toHaveLength(3);
});

test('a process that was away while another heard changes nothing: who was silent meanwhile is offline', async () => {
  const [first, second] = [await startProcess(), await startProcess()];
  const nodes = await fleetOf(2);
  await beat(first, nodes);
  await pass(60_000);
  await first.stop();
  await beat(second, nodes.slice(1));
  await pass(40_000);
  await startProcess();
  await look();
  expect(await offlineIds()).toEqual([nodes[0]!.id]);
});

test('a short break is none: silence counts through it', async () => {
  const first = await startProcess();
  const nodes = await fleetOf(1);
  await beat(first, nodes);
  await pass(80_000);
  await first.stop();
  await clock.leap(10_000);
  await startProcess();
  await look();
  expect(await offlineIds()).toEqual([nodes[0]!.id]);
});

test('while the database takes no writes no silence counts, and one deadline after it does', async () => {
  const patience = { deadlineMs: 90_000, toleranceMs: 300, everyMs: 100 };
  const hearing = await startProcess({ patience });
  const nodes = await fleetOf(1);
  await beat(hearing, nodes);
  await clock.advance(60_000);
  await noted(300);
  const blocker = new pg.Client({ connectionString: store.test.ownerUrl });
  await blocker.connect();
  onTestFinished(() => blocker.end());
  await blocker.query('begin');
  await blocker.query('select from fleet.hearing for update');
  await clock.advance(1_000);
  await until(async () => !hearing.hears(clock.now()), 'the process to notice');
  const frozenAt = hearing.at(clock.now()).countsTo;
  await clock.advance(60_000);
  expect(hearing.at(clock.now()).countsTo).toEqual(frozenAt);
  await blocker.query('rollback');
  await until(async () => {
    await clock.advance(100);
    return hearing.hears(clock.now());
  }, 'the process to hear again');
  expect(await look()).toEqual([]);
  await clock.advance(90_000);
  await noted(300);
  await look();
  expect(await offlineIds()).toEqual([nodes[0]!.id]);
});

test('where gateways are processes of their own silence counts only while one stands before fleet', async () => {
  let isReached = false;
  const hearing = await startProcess({ isReached: () => isReached });
  expect(hearing.at(clock.now()).countsTo).toEqual(new Date(0));
  isReached = true;
  await hearing.look();
  const nodes = await fleetOf(1);
  await beat(hearing, nodes);
  await pass(20_000);
  isReached = false;
  await clock.advance(minutes(5));
  expect(hearing.at(clock.now()).countsTo < clock.now()).toBe(true);
  isReached = true;
  await hearing.look();
  expect(await look()).toEqual([]);
  await pass(90_000);
  await look();
  expect(await offlineIds()).toEqual([nodes[0]!.id]);
});

test('a process that no gateway calls goes by what another hears', async () => {
  const reached = await startProcess();
  const other = await startProcess({ isReached: () => false });
  await pass(minutes(2));
  await other.look();
  expect(other.hears(clock.now())).toBe(true);
  expect(other.at(clock.now()).countsTo).toEqual(clock.now());
  await reached.stop();
  await clock.advance(minutes(5));
  expect(other.hears(clock.now())).toBe(false);
});

test('a clock that was years ahead when the panel started keeps nobody from being offline once it is right', async () => {
  const right = clock.now().getTime();
  await clock.leap(3 * 365 * 24 * minutes(60));
  await (await startProcess()).stop();
  await clock.leap(right - clock.now().getTime());
  const hearing = await startProcess();
  const nodes = await fleetOf(1);
  await beat(hearing, nodes);
  await pass(90_000);
  await look();
  expect(await offlineIds()).toEqual([nodes[0]!.id]);
});

test('how far silence counts is the same in SQL as in TypeScript', async () => {
  const at = fc
    .integer({ min: 0, max: 500 })
    .map((seconds) => new Date(clock.now().getTime() + seconds * 1000));
  await fc.assert(
    fc.asyncProperty(at, at, at, async (lostAt, countsAgainAt, now) => {
      await store.sql('delete from fleet.hearing');
      await store.sql(
        'insert into fleet.hearing (heard_until, lost_at, counts_again_at) values ($1, $2, $3)',
        [now, lostAt, countsAgainAt],
      );
      const [row] = await store.sql<{ to: Date }>('select fleet.silence_counts_to($1) as to', [now]);
      expect(row!.to).toEqual(silenceAt({ lostAt, countsAgainAt }, now).countsTo);
    }),
    { numRuns: 60 },
  );
});
