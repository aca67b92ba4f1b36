import type { JobWithMetadata } from 'pg-boss';

import type { Clock } from '../clock.js';
import type { Database, SqlEntityManager } from '../database/database.js';
import { areaRoles } from '../database/roles.js';
import { messageWithoutDetails } from '../log-errors.js';
import type { Logger } from '../logger.js';
import { mended } from '../mended-text.js';
import { appendToOutbox, type OutboxEvent } from '../outbox/outbox.js';
import { inTraceOf, traced } from '../telemetry/tracing.js';
import { JobBatch } from './enqueue.js';
import type { JobDefinition, JobPayload, JobStep } from './job.js';
import { jobsSchema } from './schema.js';

/** A job as it lies in its queue. */
export type StoredJob = JobWithMetadata<JobPayload & { causedBy: string; traceparent?: string }>;

export interface AttemptContext {
  database: Database;
  clock: Clock;
  logger: Logger;
  counted: (outcome: 'done' | 'failed' | 'given up') => void;
}

/** Makes one attempt at a job. A failure is logged, and thrown on for pg-boss to decide on the next attempt. */
export async function attempt(
  definition: JobDefinition,
  job: StoredJob,
  { database, clock, logger, counted }: AttemptContext,
): Promise<void> {
  const { causedBy, traceparent, ...payload } = job.data;
  const isLastAttempt = job.retryCount >= job.retryLimit;
  const step: JobStep = {
    em: database.forTenant(payload.tenantId),
    payload,
    jobId: job.id,
    attempt: job.retryCount + 1,
    isLastAttempt,
    now: clock.now(),
    signal: job.signal,
    causedBy,
    write: async (work) => {
      const events: OutboxEvent[] = [];
      const result = await database.forTenant(payload.tenantId).transactional(async (em) => {
        await assertCurrent(em, database.area, job);
        const jobs = new JobBatch();
        const answer = await work({ em, publish: (event) => events.push(event), enqueue: jobs.enqueue });
        await em.flush();
        await appendToOutbox(em, database.area, events, { requestId: causedBy, at: clock.now() });
        await jobs.send(em, database.area, { requestId: causedBy, tenantId: payload.tenantId });
        return answer;
      });
      database.announce(events);
      return result;
    },
  };
  const facts = {
    job: job.name,
    jobId: job.id,
    attempt: step.attempt,
    requestId: causedBy,
    tenantId: payload.tenantId,
  };
  try {
    const attributes = { 'messaging.message.id': job.id, 'quazzar.request_id': causedBy };
    await inTraceOf({ traceparent }, async () =>
      traced(`job ${job.name}`, { attributes }, async () => definition.handle(step)),
    );
    logger.debug(facts, 'a job is done');
    counted('done');
  } catch (error) {
    counted(isLastAttempt ? 'given up' : 'failed');
    if (isLastAttempt) logger.error({ ...facts, err: error }, 'a job failed for the last time');
    else logger.warn({ ...facts, err: error }, 'a job failed and will be tried again');
    // pg-boss keeps what it is given in the job's row, with all its properties; causes, and the statement that failed, may
    // tell secrets. With text that the row can't hold it would leave the job active, as if its process had died.
    const words = error instanceof Error ? `${error.name}: ${messageWithoutDetails(error)}` : String(error);
    throw new Error(mended(words));
  }
}

/**
 * Fails unless this attempt is the job's current one, and keeps it so until the transaction ends: an attempt that slept
 * through its time writes nothing beside the one that took its place.
 */
async function assertCurrent(em: SqlEntityManager, area: string, job: StoredJob): Promise<void> {
  const { app, jobs } = areaRoles(area);
  // A process frozen in this transaction must not hold the job's row for ever.
  await em.execute(`set local idle_in_transaction_session_timeout = '5s'`);
  // Who may look is settled when the statement begins; within it the role becomes the tenant's again, so that all is one
  // round trip.
  await em.execute(`select set_config('role', ?, true)`, [jobs]);
  const rows = await em.execute<unknown[]>(
    `with current as materialized (
       select 1 from ${jobsSchema}.job
       where name = ? and id = ?::uuid and state = 'active' and retry_count = ? for share)
     select set_config('role', ?, true) from current`,
    [job.name, job.id, job.retryCount, app],
  );
  if (rows.length === 0)
    throw new Error(`attempt ${job.retryCount + 1} at job ${job.id} is no longer the current one`);
}
