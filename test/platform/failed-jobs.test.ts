import { randomUUID } from 'node:crypto';

import { describe, expect, test, vi } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { failedJobs, failedKindOf, retryFailedJobs } from '#platform/jobs/failed-jobs.job.js';
import type { JobKind } from '#platform/jobs/job.js';

import { JobsBench } from './support/jobs.js';

const bench = new JobsBench();
const patience = { timeout: 20_000, interval: 50 };
const newTenant = () => `org_${randomUUID()}`;

const vendor: JobKind = {
  name: 'fleet.vendor.call',
  retry: { limit: 1, delaySeconds: 1, maxDelaySeconds: 1 },
  expireInSeconds: 30,
};

/** Runs jobs of a kind, which fail with `failure` while there is one; answers the attempts of each tenant. */
async function runVendor(
  failure: { error: Error | undefined },
  kind = vendor,
): Promise<Map<string, number[]>> {
  const attempts = new Map<string, number[]>();
  await bench.run([
    {
      ...kind,
      async handle({ payload: { tenantId }, attempt, em }) {
        attempts.set(tenantId, [...(attempts.get(tenantId) ?? []), attempt]);
        if (failure.error?.message === 'statement')
          await em.execute(`do $$ begin raise 'refused' using detail = 'word-of-a-secret'; end $$`);
        if (failure.error) throw failure.error;
      },
    },
  ]);
  return attempts;
}

const ended = async (tenantId: string, state: 'failed' | 'completed') =>
  vi.waitUntil(async () => (await bench.states(tenantId)).join() === state, patience);
const events = async (tenantId: string) =>
  bench.sql('select topic, entity_id, payload from fleet.outbox where tenant_id = $1', [tenantId]);

describe('jobs that failed for good', () => {
  test('are told by kind, newest first, with what failed and without what is secret', async () => {
    const failure = { error: new Error('no answer\nfrom https://me:password@vendor.test/v1') };
    await runVendor(failure);
    const [first, second] = [newTenant(), newTenant()];
    for (const tenantId of [first, second]) {
      await bench.enqueue(vendor, { tenantId });
      await ended(tenantId, 'failed');
    }
    const [kind, ...more] = await failedJobs(bench.database, 1);
    expect([kind, more]).toEqual([
      {
        name: vendor.name,
        count: 2,
        newest: [
          {
            id: expect.any(String),
            tenantId: second,
            failedAt: expect.any(Date),
            attempts: 2,
            problem: 'Error: no answer from https://vendor.test/v1',
          },
        ],
      },
      [],
    ]);
    expect(await failedKindOf(bench.database, kind!.newest[0]!.id)).toBe(vendor.name);
    expect(await failedKindOf(bench.database, randomUUID())).toBeUndefined();
    expect(await failedJobs(bench.database, 1, 'fleet.vendor')).toEqual([]);
  });

  test('at a statement keep none of its values', async () => {
    await runVendor({ error: new Error('statement') });
    const tenantId = newTenant();
    await bench.enqueue(vendor, { tenantId });
    await ended(tenantId, 'failed');
    const [kind] = await failedJobs(bench.database, 1, vendor.name);
    expect(kind!.newest[0]!.problem).toMatch(/^DriverException: refused/);
    expect(JSON.stringify(await bench.jobsOf(tenantId))).not.toContain('word-of-a-secret');
    // As a version before has kept it.
    await bench.sql(
      `update jobs.job set output = '{"message": "DriverException: refused\\n - detail: word"}' where id = $1`,
      [kind!.newest[0]!.id],
    );
    const [before] = await failedJobs(bench.database, 1, vendor.name);
    expect(before!.newest[0]!.problem).toBe('DriverException: refused');
  });

  test('are tried again one by one or together, as often as new ones, and the trail of their tenants has it', async () => {
    const failure: { error: Error | undefined } = { error: new Error('no answer') };
    const kind = { ...vendor, name: 'fleet.vendor.ask' };
    const attempts = await runVendor(failure, kind);
    const [one, two] = [newTenant(), newTenant()];
    for (const tenantId of [one, two]) await bench.enqueue(kind, { tenantId });
    await ended(one, 'failed');
    await ended(two, 'failed');
    const [job] = await bench.sql<{ id: string }>(`select id from jobs.job where data->>'tenantId' = $1`, [
      one,
    ]);
    const options = { database: bench.database, clock: systemClock };

    expect(await retryFailedJobs(options, kind.name, job!.id)).toBe(1);
    expect(await retryFailedJobs(options, kind.name, job!.id)).toBe(0);
    await ended(one, 'failed');
    expect([attempts.get(one), attempts.get(two)]).toEqual([
      [1, 2, 3, 4],
      [1, 2],
    ]);
    failure.error = undefined;
    expect(await retryFailedJobs(options, kind.name)).toBe(2);
    await ended(one, 'completed');
    await ended(two, 'completed');
    expect([attempts.get(one), attempts.get(two)]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3],
    ]);
    expect(await retryFailedJobs(options, kind.name)).toBe(0);
    // Done like any other, it is forgotten as soon as those are.
    const [kept] = await bench.sql(`select deletion_seconds from jobs.job where data->>'tenantId' = $1`, [
      one,
    ]);
    expect(kept).toEqual({ deletion_seconds: 3_600 });
    const told = {
      topic: 'audit.mutation.recorded',
      entity_id: job!.id,
      payload: expect.objectContaining({
        action: 'retryJobs',
        actorKind: 'operator',
        target: job!.id,
        changes: { job: kind.name, count: 1 },
      }),
    };
    expect(await events(one)).toEqual([told, told]);
    expect(await events(two)).toHaveLength(1);
  });

  test('are found and counted without a look at those that are done', async () => {
    await bench.sql(
      `insert into jobs.job (name, data, state, completed_on)
       select $1, '{}', 'completed', now() from generate_series(1, 5000)`,
      [vendor.name],
    );
    await bench.sql('analyze jobs.job_common');
    const newest = `select id from jobs.job_common where name = '${vendor.name}' and state = 'failed'
      order by completed_on desc limit 5`;
    const counted = `select name, count(*) from jobs.job_common where state = 'failed' group by name`;
    for (const query of [newest, counted]) expect(await bench.plan(query)).toMatch(/job_common_failed\b/);
  });
});
