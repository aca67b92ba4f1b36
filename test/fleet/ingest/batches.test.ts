import 'reflect-metadata';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { BatchQueue } from '#platform/batch-queue.js';
import { Database } from '#platform/database/database.js';
import { patience } from '#platform/database/patience.js';
import { silentLogger } from '#platform/logger.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';

import { TestClock } from '../../support/clock.js';
import {
  openFleetDatabase,
  openFleetStore,
  receivedBeat,
  type FleetStore,
} from '../../support/fleet-store.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
const clock = new TestClock();
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, clock, 30);
});
afterAll(async () => {
  await ingest.stop();
  await store.stop();
});

async function lastSeen(id: string): Promise<Date | null> {
  const [row] = await store.sql<{ last_seen_at: Date | null }>(
    'select last_seen_at from fleet.instance where id = $1',
    [id],
  );
  return row?.last_seen_at ?? null;
}

test('beats of several tenants are stored together, each under its own', async () => {
  const instances = await Promise.all([store.instance(), store.instance(), store.instance()]);
  const outcomes = await ingest.store(instances.map((instance) => receivedBeat(instance, clock.now())));
  expect(outcomes).toEqual(instances.map(() => ({ answer: undefined })));
  for (const { tenantId, id } of instances) {
    const samples = await store.sql('select tenant_id from fleet.metrics_sample where instance_id = $1', [
      id,
    ]);
    expect(samples).toEqual([{ tenant_id: tenantId }]);
    const events = await store.sql(
      'select tenant_id, caused_by, payload from fleet.outbox where entity_id = $1',
      [id],
    );
    expect(events).toEqual([
      { tenant_id: tenantId, caused_by: 'test', payload: { instanceId: id, from: null, to: 'HEALTHY' } },
    ]);
  }
});

test('a revoked or unknown instance fails its own beat only, and writes nothing', async () => {
  const [well, revoked, other] = await Promise.all([store.instance(), store.instance(), store.instance()]);
  const outcomes = await ingest.store([
    receivedBeat(revoked, clock.now(), {}, 0),
    receivedBeat(well, clock.now()),
    // An instance of one tenant with another tenant's name on the credential.
    receivedBeat({ tenantId: well.tenantId, id: other.id }, clock.now()),
  ]);
  const refused = { error: expect.objectContaining({ code: 'UNAUTHENTICATED' }) };
  expect(outcomes).toEqual([refused, { answer: undefined }, refused]);
  expect([await lastSeen(revoked.id), await lastSeen(other.id)]).toEqual([null, null]);
  expect(await lastSeen(well.id)).toEqual(clock.now());
});

test('a beat that the database cannot take does not keep the others of its batch out', async () => {
  const [well, odd] = await Promise.all([store.instance(), store.instance()]);
  const outcomes = await ingest.store([
    receivedBeat(odd, clock.now(), { facts: { text: '\u0000' } }),
    receivedBeat(well, clock.now()),
  ]);
  expect(outcomes).toEqual([{ error: expect.any(Error) }, { answer: undefined }]);
  expect([await lastSeen(odd.id), await lastSeen(well.id)]).toEqual([null, clock.now()]);
});

test('two beats of one node in a batch count in turn, and the facts of the first stay', async () => {
  const instance = await store.instance();
  const later = new Date(clock.now().getTime() + 10_000);
  await ingest.store([
    receivedBeat(instance, clock.now(), { facts: { os: 'Cloud OS' }, netRxBytes: 1_000, netTxBytes: 0 }),
    receivedBeat(instance, later, { netRxBytes: 3_000, netTxBytes: 0, diskPercent: 97 }),
  ]);
  const [row] = await store.sql(
    'select facts, net_rx_bytes_per_second, announced_status from fleet.instance where id = $1',
    [instance.id],
  );
  expect(row).toEqual({
    facts: { os: 'Cloud OS' },
    net_rx_bytes_per_second: 200,
    announced_status: 'DEGRADED',
  });
  const events = await store.sql(
    `select payload from fleet.outbox where entity_id = $1 and topic = 'fleet.instance.changed' order by id`,
    [instance.id],
  );
  expect(events.map(({ payload }) => [payload.from, payload.to])).toEqual([
    [null, 'HEALTHY'],
    ['HEALTHY', 'DEGRADED'],
  ]);
});

test('of samples of one moment the first stays, whichever beats of a batch bring them', async () => {
  const [once, twice] = [await store.instance(), await store.instance()];
  const now = clock.now();
  const [early, later] = [new Date(now.getTime() - 1_500), new Date(now.getTime() - 500)];
  const replayed = [{ timestamp: later, cpuPercent: 71, memoryPercent: 1, diskPercent: 1 }];
  await ingest.store([
    receivedBeat(once, now, { sentAt: later, cpuPercent: 11, samples: replayed }),
    receivedBeat(twice, early, { sentAt: later, cpuPercent: 21, sequence: 1, samples: replayed }),
    receivedBeat(twice, now, { sentAt: later, cpuPercent: 31, sequence: 2, samples: replayed }),
    receivedBeat(twice, clock.now(), { sentAt: early, cpuPercent: 41, sequence: 3 }),
  ]);
  const stored = async ({ id }: { id: string }) =>
    store.sql('select at, cpu_percent from fleet.metrics_sample where instance_id = $1 order by at', [id]);
  expect(await stored(once)).toEqual([{ at: later, cpu_percent: 11 }]);
  expect(await stored(twice)).toEqual([
    { at: early, cpu_percent: 41 },
    { at: later, cpu_percent: 21 },
  ]);
});

test('all batches that tell of nothing new are read and stored by statements that a connection has had planned once', async () => {
  const url = store.test.url;
  const database = await Database.open({
    area: 'fleet',
    url,
    entities: [],
    poolSize: 1,
    logger: silentLogger,
  });
  const alone = new HeartbeatIngest(database, clock, 30);
  const instances = await Promise.all([store.instance(), store.instance()]);
  // More often than the server plans for the values at hand.
  for (let beat = 0; beat < 9; beat += 1) {
    const at = new Date(clock.now().getTime() + beat * 1000);
    const batch = instances.map((instance) => receivedBeat(instance, at, { cpuPercent: beat }));
    expect(await alone.store(batch)).toEqual(instances.map(() => ({ answer: undefined })));
  }
  const { rows } = await database.connections.use(async (client) =>
    client.query<{ runs: number }>(
      `select (generic_plans + custom_plans)::int as runs from pg_prepared_statements
       where statement like '%fleet.instance%' order by runs`,
    ),
  );
  // The first told of two nodes that are there now.
  expect(rows).toEqual([{ runs: 8 }, { runs: 9 }]);
  for (const { id } of instances) {
    const samples = await store.sql('select cpu_percent from fleet.metrics_sample where instance_id = $1', [
      id,
    ]);
    expect(samples).toHaveLength(9);
  }
  await database.close();
});

test('an ordinary beat changes no index, so that its row stays where it is', async () => {
  await using own = await openFleetStore();
  const instance = await own.instance();
  /** A connection tells its statistics when it ends. */
  const beat = async (times: readonly number[]) => {
    const database = await openFleetDatabase(own.test.url);
    const beats = new HeartbeatIngest(database, clock, 30);
    for (const time of times) {
      await beats.store([receivedBeat(instance, new Date(clock.now().getTime() + time * 30_000))]);
    }
    await database.close();
  };
  const counts = async () => {
    const [row] = await own.sql<{ updates: number; hot: number }>(
      `select pg_stat_get_tuples_updated('fleet.instance'::regclass)::int as updates,
         pg_stat_get_tuples_hot_updated('fleet.instance'::regclass)::int as hot`,
    );
    return row!;
  };
  await beat([0]);
  await expect.poll(async () => (await counts()).updates).toBeGreaterThan(0);
  const before = await counts();
  await beat(Array.from({ length: 20 }, (_, at) => at + 1));
  await expect.poll(async () => (await counts()).updates - before.updates).toBeGreaterThanOrEqual(20);
  const after = await counts();
  expect(after.updates - before.updates - (after.hot - before.hot)).toBe(0);
});

test('a beat is answered after its commit: while the database holds it up there is no answer', async () => {
  const instance = await store.instance();
  const blocker = new pg.Client({ connectionString: store.test.ownerUrl });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from fleet.instance where id = $1 for update', [instance.id]);
  let isAnswered = false;
  const stored = ingest.store([receivedBeat(instance, clock.now())]).then((outcomes) => {
    isAnswered = true;
    return outcomes;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([isAnswered, await lastSeen(instance.id)]).toEqual([false, null]);
  await blocker.query('commit');
  await blocker.end();
  expect(await stored).toEqual([{ answer: undefined }]);
  expect(await lastSeen(instance.id)).toEqual(clock.now());
});

test('a batch that meets a locked row gives up in time, whether it has something to tell or not', async () => {
  const [told, quiet] = [await store.instance(), await store.instance()];
  await ingest.store([receivedBeat(quiet, clock.now())]);
  const hasty = new HeartbeatIngest(store.database, clock, 30, undefined, {
    ...patience.beats,
    statement: 400,
    lock: 200,
  });
  const blocker = new pg.Client({ connectionString: store.test.ownerUrl });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from fleet.instance where id in ($1, $2) for update', [told.id, quiet.id]);
  for (const instance of [told, quiet]) {
    const later = new Date(clock.now().getTime() + 1_000);
    const answer = hasty.store([receivedBeat(instance, later)]);
    const patience = new Promise((resolve) => setTimeout(resolve, 5_000, 'no answer'));
    expect(await Promise.race([answer, patience])).toEqual([
      { error: expect.objectContaining({ code: 'UNAVAILABLE' }) },
    ]);
  }
  await blocker.query('rollback');
  await blocker.end();
  await hasty.stop();
}, 120_000);

test('items that come during a flush go together in the next one, in order, and a full queue refuses', async () => {
  const batches: number[][] = [];
  let release: () => void = () => undefined;
  const queue = new BatchQueue<number, number>({
    batchSize: 3,
    capacity: 5,
    flush: async (batch) => {
      batches.push([...batch]);
      await new Promise<void>((resolve) => (release = resolve));
      return batch.map((item) => (item === 4 ? { error: new Error('four') } : { answer: item * 10 }));
    },
    refuse: (why, waiting) => new Error(`${why} at ${waiting}`),
  });
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const first = queue.add(1);
  await turn();
  const rest = [2, 3, 4, 5, 6].map((item) => queue.add(item));
  await expect(queue.add(7)).rejects.toThrow('full at 5');
  const settled = Promise.allSettled(rest);
  release();
  expect(await first).toBe(10);
  await turn();
  const stopping = queue.stop();
  await expect(queue.add(8)).rejects.toThrow('closed');
  release();
  await turn();
  release();
  await stopping;
  expect(batches).toEqual([[1], [2, 3, 4], [5, 6]]);
  expect((await settled).map((one) => (one.status === 'fulfilled' ? one.value : 'refused'))).toEqual([
    20,
    30,
    'refused',
    50,
    60,
  ]);
});
