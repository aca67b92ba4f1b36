import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { JobBatch, enqueue } from '#platform/jobs/enqueue.js';
import type { JobDefinition, JobKind, JobPayload, JobStep } from '#platform/jobs/job.js';
import { Operation } from '#platform/subgraph/operation.js';

import { JobsBench } from './support/jobs.js';
import { noteJobs, writeNote } from './support/note-jobs.js';

const bench = new JobsBench();
const patience = { timeout: 20_000, interval: 50 };
const newTenant = () => `org_${randomUUID()}`;

function kind<Payload extends JobPayload>(
  name: string,
  retry: Partial<JobKind['retry']> = {},
  expireInSeconds = 30,
): JobKind<Payload> {
  return {
    name: `fleet.${name}`,
    retry: { limit: 2, delaySeconds: 1, maxDelaySeconds: 2, ...retry },
    expireInSeconds,
  };
}

describe('a job', () => {
  test('runs once when its transaction commits and never when it does not', async () => {
    await bench.run([noteJobs(bench.database)]);
    const tenantId = newTenant();
    const lost = bench.database.forTenant(tenantId).transactional(async (em) => {
      await enqueue(em, 'fleet', writeNote, { tenantId, word: 'lost' }, { causedBy: 'req-0' });
      throw new Error('undone');
    });
    await expect(lost).rejects.toThrow('undone');
    await bench.enqueue(writeNote, { tenantId, word: 'kept' });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed']);
    expect(await bench.notes(tenantId)).toEqual(['kept', 'kept done']);
  });

  test('is enqueued by a write of an operation, with its request id, and dropped with it', async () => {
    const steps: Pick<
      JobStep<JobPayload & { n: number }>,
      'payload' | 'causedBy' | 'attempt' | 'isLastAttempt'
    >[] = [];
    const told = kind<JobPayload & { n: number }>('note.tell', { limit: 0 });
    await bench.run([
      {
        ...told,
        handle: async ({
          payload,
          causedBy,
          attempt,
          isLastAttempt,
        }: JobStep<JobPayload & { n: number }>) => {
          steps.push({ payload, causedBy, attempt, isLastAttempt });
        },
      } as JobDefinition,
    ]);
    const tenantId = newTenant();
    const operation = new Operation({
      request: { requestId: 'req-42', clientAddress: '127.0.0.1' },
      database: bench.database,
      clock: systemClock,
      permissions: {},
      viewer: undefined,
      denial: undefined,
    });
    const failing = operation.write(async ({ enqueue: ask }) => {
      ask(told, { tenantId, n: 1 });
      throw new Error('undone');
    }, tenantId);
    await expect(failing).rejects.toThrow('undone');
    await operation.write(async ({ enqueue: ask }) => ask(told, { tenantId, n: 2 }), tenantId);
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed']);
    expect(steps).toEqual([
      { payload: { tenantId, n: 2 }, causedBy: 'req-42', attempt: 1, isLastAttempt: true },
    ]);
  });

  test('waits for its time', async () => {
    await bench.run([noteJobs(bench.database)]);
    const tenantId = newTenant();
    await bench.enqueue(writeNote, { tenantId, word: 'late' }, { startAfterSeconds: 3_600 });
    await bench.enqueue(writeNote, { tenantId, word: 'soon' }, { startAfterSeconds: 1 });
    await expect.poll(async () => bench.notes(tenantId), { timeout: 30_000 }).toEqual(['soon', 'soon done']);
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['created', 'completed']);
  });

  test('sees the rows of its tenant only, and writes and publishes as it', async () => {
    const [tenantId, other] = [newTenant(), newTenant()];
    const read: JobKind = kind('note.read');
    const seen: unknown[] = [];
    await bench.sql(
      `insert into fleet.note (tenant_id, word, attempt, pid) values ($1, 'mine', 1, 0), ($2, 'theirs', 1, 0)`,
      [tenantId, other],
    );
    await bench.run([
      {
        ...read,
        async handle({ em, payload, write, attempt }) {
          seen.push(await em.execute('select word, current_user::text as role from fleet.note'));
          await write(async ({ em: inside, publish, enqueue: ask }) => {
            await inside.execute(
              'insert into fleet.note (tenant_id, word, attempt, pid) values (?, ?, ?, 0)',
              [payload.tenantId, 'written', attempt],
            );
            publish({ topic: 'fleet.note.written', tenantId: payload.tenantId, entityId: 'n1', payload: {} });
            ask(writeNote, { tenantId: payload.tenantId, word: 'next' }, { startAfterSeconds: 3_600 });
          });
          await em.execute('insert into fleet.note (tenant_id, word, attempt, pid) values (?, ?, 1, 0)', [
            other,
            'forged',
          ]);
        },
      },
      noteJobs(bench.database),
    ]);
    await bench.enqueue(read, { tenantId });
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(seen[0]).toEqual([{ word: 'mine', role: 'fleet_app' }]);
    await expect.poll(async () => bench.notes(tenantId)).toContain('written');
    expect(await bench.notes(other)).toEqual(['theirs']);
    expect(
      await bench.sql(`select topic, caused_by from fleet.outbox where tenant_id = $1 limit 1`, [tenantId]),
    ).toEqual([{ topic: 'fleet.note.written', caused_by: 'req-1' }]);
    expect(
      await bench.sql(
        `select distinct data->>'causedBy' as caused from jobs.job where data->>'word' = 'next'`,
      ),
    ).toEqual([{ caused: 'req-1' }]);
  });
});

describe('a job that fails', () => {
  test('is tried again with growing pauses, and stays as failed after its last attempt', async () => {
    const tenantId = newTenant();
    const broken: JobKind = kind('note.break', { limit: 2, delaySeconds: 1, maxDelaySeconds: 4 });
    const attempts: { attempt: number; isLastAttempt: boolean; at: number }[] = [];
    await bench.run([
      {
        ...broken,
        async handle({ attempt, isLastAttempt }) {
          attempts.push({ attempt, isLastAttempt, at: Date.now() });
          throw new Error(`attempt ${attempt}`, { cause: 'a secret' });
        },
      },
    ]);
    await bench.enqueue(broken, { tenantId });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['failed']);
    expect(attempts.map(({ attempt, isLastAttempt }) => [attempt, isLastAttempt])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    const [first, second, third] = attempts.map(({ at }) => at) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(950);
    expect(third - second).toBeGreaterThanOrEqual(1_950);
    const [job] = await bench.jobsOf(tenantId);
    expect(job).toMatchObject({ retry_count: 2, output: { message: 'Error: attempt 3' } });
    expect(JSON.stringify(job)).not.toContain('a secret');
  });

  test('with words that no row can hold is tried again and stays as failed like any other', async () => {
    const tenantId = newTenant();
    const odd: JobKind = kind('note.odd', { limit: 1, delaySeconds: 0, maxDelaySeconds: 1 }, 600);
    const attempts: number[] = [];
    await bench.run([
      {
        ...odd,
        async handle({ attempt }) {
          attempts.push(attempt);
          throw new Error(`the other side said \0 and \uD83D`);
        },
      },
    ]);
    await bench.enqueue(odd, { tenantId });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['failed']);
    expect(attempts).toEqual([1, 2]);
    const [job] = await bench.jobsOf(tenantId);
    expect(job!.output).toMatchObject({ message: 'Error: the other side said \uFFFD and \uFFFD' });
  });

  test('by taking too long is told so, and writes nothing beside the attempt that follows', async () => {
    const tenantId = newTenant();
    const slow: JobKind = kind('note.dawdle', { limit: 1 }, 1);
    const late: string[] = [];
    await bench.run([
      {
        ...slow,
        async handle({ attempt, signal, write, payload }) {
          const once = async () =>
            write(async ({ em }) =>
              em.execute(`insert into fleet.note (tenant_id, word, attempt, pid) values (?, 'once', ?, 0)`, [
                payload.tenantId,
                attempt,
              ]),
            );
          if (attempt > 1) return void (await once());
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          // The first attempt goes on although its time is over, as a frozen process would.
          await expect.poll(async () => bench.notes(tenantId), patience).toEqual(['once']);
          await once().catch((error: Error) => late.push(error.message));
        },
      },
    ]);
    await bench.enqueue(slow, { tenantId });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed']);
    await expect.poll(() => late, patience).toEqual([expect.stringContaining('no longer the current one')]);
    expect(await bench.sql('select attempt from fleet.note where tenant_id = $1', [tenantId])).toEqual([
      { attempt: 2 },
    ]);
  });

  test('to be the current attempt any more may not write', async () => {
    const tenantId = newTenant();
    const stale: JobKind = kind('note.stale', { limit: 1 });
    const outcomes: string[] = [];
    await bench.run([
      {
        ...stale,
        async handle({ jobId, attempt, write }) {
          if (attempt > 1) return;
          await bench.sql('update jobs.job set retry_count = retry_count + 1 where id = $1', [jobId]);
          await write(async () => undefined).catch((error: Error) => outcomes.push(error.message));
        },
      },
    ]);
    await bench.enqueue(stale, { tenantId });
    await expect.poll(() => outcomes, { timeout: 30_000 }).toHaveLength(1);
    expect(outcomes[0]).toMatch(/^attempt 1 at job .* is no longer the current one$/);
  });
});

describe('the queues', () => {
  test('are closed to requests, whose role may not even see them', async () => {
    const read = bench.database.forTenant('org_x').execute('select count(*) from jobs.job');
    await expect(read).rejects.toThrow('permission denied for schema jobs');
  });

  test('are written as the jobs role, and the transaction is the request again afterwards', async () => {
    await bench.run([noteJobs(bench.database)]);
    const tenantId = newTenant();
    const role = await bench.database.forTenant(tenantId).transactional(async (em) => {
      await enqueue(em, 'fleet', writeNote, { tenantId, word: 'x' }, { causedBy: 'req-1' });
      const unknown = enqueue(em, 'fleet', kind('note.unknown'), { tenantId }, { causedBy: 'req-1' });
      await expect(unknown).rejects.toThrow('Queue fleet.note.unknown does not exist');
      const [row] = await em.execute<{ role: string; tenant: string }[]>(
        `select current_user::text as role, current_setting('app.tenant_id') as tenant`,
      );
      return row;
    });
    expect(role).toEqual({ role: 'fleet_app', tenant: tenantId });
  });

  test("take no job outside a transaction, of another area or for another than the transaction's tenant", async () => {
    const tenantId = newTenant();
    const em = bench.database.forTenant(tenantId);
    const ask = async (batch: JobBatch) =>
      em.transactional(async (inside) => batch.send(inside, 'fleet', { requestId: 'r', tenantId }));
    await expect(enqueue(em, 'fleet', writeNote, { tenantId, word: 'x' }, { causedBy: 'r' })).rejects.toThrow(
      'jobs are enqueued in the transaction that causes them',
    );
    const foreign = new JobBatch();
    foreign.enqueue({ ...writeNote, name: 'identity.mail.send' }, { tenantId, word: 'x' });
    await expect(ask(foreign)).rejects.toThrow('fleet may not enqueue identity.mail.send');
    const forged = new JobBatch();
    forged.enqueue(writeNote, { tenantId: newTenant(), word: 'x' });
    await expect(ask(forged)).rejects.toThrow('another tenant');
  });
});

describe('jobs that are over', () => {
  const done = kind<JobPayload>('note.end');
  const failing = kind<JobPayload>('note.break', { limit: 0 });
  const run = async () =>
    bench.run([
      { ...done, handle: async () => undefined },
      { ...failing, handle: async () => Promise.reject(new Error('broken')) },
    ]);
  /** Has it be so much later, and another job be done, so that somebody looks for what is too old. */
  const later = async (tenantId: string, interval: string) => {
    await bench.sql(
      `update jobs.job set completed_on = completed_on - $2::interval where data->>'tenantId' = $1`,
      [tenantId, interval],
    );
    await bench.sql('update jobs.queue set maintain_on = null');
    await bench.enqueue(done, { tenantId: newTenant() });
  };

  test('are forgotten within hours when they are done, and a week after they failed for good', async () => {
    await run();
    const tenantId = newTenant();
    await bench.enqueue(done, { tenantId });
    await bench.enqueue(failing, { tenantId });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed', 'failed']);
    // Much sooner than an hour after it failed.
    const kept = async () =>
      bench.sql(`select from jobs.job where data->>'tenantId' = $1 and deletion_seconds > 3600`, [tenantId]);
    await expect.poll(kept, patience).toHaveLength(1);
    await later(tenantId, '2 hours');
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['failed']);
    await later(tenantId, '7 days');
    await expect.poll(async () => bench.states(tenantId), patience).toEqual([]);
  });

  test('are not looked through for those that are under way', async () => {
    await run();
    await bench.sql(
      `insert into jobs.job (name, data, state, completed_on)
       select $1, '{}', 'completed', now() from generate_series(1, 5000)`,
      [done.name],
    );
    await bench.sql('analyze jobs.job_common');
    const underWay = `select from jobs.job_common where state = 'active' and name = any (array['${done.name}'])`;
    expect(await bench.plan(underWay)).toContain('job_common_active');
  });
});
