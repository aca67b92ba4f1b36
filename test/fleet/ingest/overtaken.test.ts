import 'reflect-metadata';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';

import {
  openFleetStore,
  receivedBeat,
  type FleetStore,
  type StoredInstance,
} from '../../support/fleet-store.js';
import { until } from '../../support/world.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
const start = Date.parse('2026-03-10T20:00:00Z');
const clock = { at: start, now: () => new Date(clock.at), delay: async () => undefined };
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, clock, 30);
});
afterAll(async () => {
  await ingest.stop();
  await store.stop();
});

const at = (seconds: number) => new Date(start + seconds * 1_000);

async function rowOf({ id }: StoredInstance): Promise<Record<string, unknown>> {
  const [row] = await store.sql(
    `select last_seen_at, sequence::int, regressions, cpu_percent, version, announced_status, streaks
     from fleet.instance where id = $1`,
    [id],
  );
  return row!;
}

test('a beat that a later one overtook leaves the instance as it is, and its samples are stored', async () => {
  const instance = await store.instance();
  const older = (seconds: number) => ({
    timestamp: at(seconds),
    cpuPercent: 5,
    memoryPercent: 20,
    diskPercent: 30,
  });
  const beats: [seconds: number, more: object][] = [
    [0, { sequence: 1 }],
    [60, { sequence: 3, cpuPercent: 50, version: '0.3.0' }],
    [30, { sequence: 2, cpuPercent: 5, version: '0.2.0', diskPercent: 99, samples: [older(-30)] }],
    [120, { sequence: 5, cpuPercent: 50, version: '0.3.0' }],
    [90, { sequence: 4, cpuPercent: 5, version: '0.2.0' }],
    [180, { sequence: 7, cpuPercent: 51, version: '0.3.0' }],
    [150, { sequence: 6, cpuPercent: 5, version: '0.2.0' }],
  ];
  clock.at = at(180).getTime();
  for (const [seconds, more] of beats) {
    expect(await ingest.store([receivedBeat(instance, at(seconds), more)])).toEqual([{ answer: undefined }]);
  }
  expect(await rowOf(instance)).toEqual({
    last_seen_at: at(180),
    sequence: 7,
    regressions: 0,
    cpu_percent: 51,
    version: '0.3.0',
    announced_status: 'HEALTHY',
    streaks: {},
  });
  const samples = await store.sql<{ at: Date }>(
    'select at from fleet.metrics_sample where instance_id = $1 order by at',
    [instance.id],
  );
  expect(samples.map((sample) => sample.at)).toEqual([-30, 0, 30, 60, 90, 120, 150, 180].map(at));
  const events = await store.sql(
    `select from fleet.outbox where entity_id = $1 and topic = 'fleet.instance.changed'`,
    [instance.id],
  );
  expect(events).toHaveLength(1);
});

test('in one batch with the beat that overtook it, or without, an overtaken beat is answered and a revoked one is not', async () => {
  const [both, late, revoked] = [await store.instance(), await store.instance(), await store.instance()];
  const first = [both, late, revoked].map((instance) => receivedBeat(instance, at(0), { cpuPercent: 1 }));
  await ingest.store(first);
  await ingest.store([late, revoked].map((instance) => receivedBeat(instance, at(60), { cpuPercent: 2 })));
  await store.sql('update fleet.instance set credential_generation = 2 where id = $1', [revoked.id]);
  const outcomes = await ingest.store([
    receivedBeat(both, at(60), { cpuPercent: 2 }),
    receivedBeat(both, at(30), { cpuPercent: 3 }),
    receivedBeat(late, at(30), { cpuPercent: 3 }),
    receivedBeat(revoked, at(30), { cpuPercent: 3 }),
  ]);
  const done = { answer: undefined };
  expect(outcomes).toEqual([
    done,
    done,
    done,
    { error: expect.objectContaining({ code: 'UNAUTHENTICATED' }) },
  ]);
  for (const instance of [both, late]) {
    expect(await rowOf(instance)).toMatchObject({ cpu_percent: 2, last_seen_at: at(60) });
    const samples = await store.sql('select from fleet.metrics_sample where instance_id = $1', [instance.id]);
    expect(samples).toHaveLength(3);
  }
});

test('the same beat that comes again is no step back, two beats with one sequence are', async () => {
  const [again, copied] = [await store.instance(), await store.instance()];
  for (let step = 0; step < 4; step += 1) {
    const sentAt = at(0);
    await ingest.store([receivedBeat(again, at(step), { sequence: 9, sentAt })]);
    await ingest.store([receivedBeat(copied, at(step * 15), { sequence: 9, sentAt: at(step * 15) })]);
  }
  expect([await rowOf(again), await rowOf(copied)]).toMatchObject([{ regressions: 0 }, { regressions: 3 }]);
});

test('a beat that is stored already is not stored again when its batch meets trouble afterwards', async () => {
  const [well, troubled] = (await Promise.all([store.instance(), store.instance()])) as [
    StoredInstance,
    StoredInstance,
  ];
  // The troubled one is written by someone else in between, so that it has to be stored in a second step; there the
  // partition of its sample turns out to have come in the meantime, once.
  await store.sql(`create sequence public.meetings`);
  await store.sql(`create function public.meet_a_partition() returns trigger language plpgsql security definer as $$
    begin
      if new.instance_id = '${troubled.id}' and nextval('public.meetings') = 1 then
        raise exception 'no place for it' using errcode = 'check_violation';
      end if;
      return new;
    end $$`);
  await store.sql(`create trigger meet_a_partition before insert on fleet.metrics_sample
    for each row execute function public.meet_a_partition()`);
  const blocker = new pg.Client({ connectionString: store.test.ownerUrl });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query(`update fleet.instance set name = 'renamed' where id = $1`, [troubled.id]);
  const stored = ingest.store([well, troubled].map((one) => receivedBeat(one, at(0), { cpuPercent: 99 })));
  await until(async () => {
    const waiting = await store.sql(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  }, 'the batch to wait for the row');
  await blocker.query('commit');
  await blocker.end();
  expect(await stored).toEqual([{ answer: undefined }, { answer: undefined }]);
  await store.sql('drop trigger meet_a_partition on fleet.metrics_sample');
  // A beat that counted twice would be two in a row with a busy CPU.
  for (const one of [well, troubled]) expect((await rowOf(one))['streaks']).toEqual({ CPU_HIGH: 1 });
  expect(await store.sql('select from fleet.outbox where entity_id = $1', [well.id])).toHaveLength(1);
});
