import type { Clock } from '../clock.js';
import { cut } from '../cut-text.js';
import type { Database } from '../database/database.js';
import { systemEm, systemReader } from '../database/system-em.js';
import { newId } from '../ids.js';
import { oneLine } from '../mail.js';
import { appendToOutbox } from '../outbox/outbox.js';
import { auditEvent } from '../subgraph/audit.js';
import { jobsSchema } from './schema.js';

/** A job that failed for good. It is kept for a week. */
export interface FailedJob {
  id: string;
  tenantId: string;
  failedAt: Date;
  attempts: number;
  /** The last attempt's error, on one line, as the log has it. */
  problem: string;
}

/** The jobs of a kind that failed for good: how many, and the newest of them, newest first. */
export interface FailedKind {
  name: string;
  count: number;
  newest: FailedJob[];
}

interface Row {
  name: string;
  count: string;
  id: string;
  tenant_id: string | null;
  failed_at: Date | string;
  attempts: number;
  problem: string | null;
}

const longestProblem = 500;
const atOnce = 500;

/** What failed for good, by kind, in the order of their names; of one kind where it is named. */
export async function failedJobs(database: Database, most: number, name?: string): Promise<FailedKind[]> {
  const rows = await systemReader(database).execute<Row[]>(
    `select kind.name, kind.count, job.* from (
       select name, count(*) from ${jobsSchema}.job
       where state = 'failed' ${name === undefined ? '' : 'and name = ?'} group by name) kind
     cross join lateral (
       select j.id, j.data->>'tenantId' as tenant_id, j.completed_on as failed_at, j.retry_count + 1 as attempts,
         coalesce(j.output->>'message', j.output->'value'->>'message') as problem
       from ${jobsSchema}.job j where j.name = kind.name and j.state = 'failed'
       order by j.completed_on desc limit ${most}) job
     order by kind.name, job.failed_at desc`,
    name === undefined ? [] : [name],
  );
  const kinds = new Map<string, FailedKind>();
  for (const row of rows) {
    const kind = kinds.get(row.name) ?? { name: row.name, count: Number(row.count), newest: [] };
    kinds.set(row.name, kind);
    kind.newest.push({
      id: row.id,
      tenantId: row.tenant_id ?? '',
      failedAt: new Date(row.failed_at),
      attempts: row.attempts,
      problem: shown(row.problem),
    });
  }
  return [...kinds.values()];
}

/** The kind of a job that failed for good; undefined where no such job has this id. */
export async function failedKindOf(database: Database, id: string): Promise<string | undefined> {
  const [found] = await systemReader(database).execute<{ name: string }[]>(
    `select j.name from ${jobsSchema}.queue q join ${jobsSchema}.job j on j.name = q.name
     where j.id = ?::uuid and j.state = 'failed'`,
    [id],
  );
  return found?.name;
}

/**
 * Has running panels try what failed for good again, each as often as a new job of its kind: all that have failed until now,
 * or one of them. `database` is that of the kind's area. The trail of each tenant has it, by `operator`. Answers how many;
 * safe to repeat, also after it was cut off: what is no longer failed is left alone.
 */
export async function retryFailedJobs(
  { database, clock }: { database: Database; clock: Clock },
  name: string,
  id?: string,
): Promise<number> {
  const [begun] = await systemReader(database).execute<{ at: string }[]>(
    `select ${jobsSchema}.job_now()::text as at`,
  );
  let count = 0;
  for (;;) {
    const retried = await retrySome(database, clock, { name, id, until: begun!.at });
    count += retried;
    if (retried < atOnce) return count;
  }
}

async function retrySome(
  database: Database,
  clock: Clock,
  { name, id, until }: { name: string; id: string | undefined; until: string },
): Promise<number> {
  return systemEm(database).transactional(async (em) => {
    // The count of attempts goes on, as attempts that sleep are told by it.
    const retried = await em.execute<{ id: string; tenant_id: string | null }[]>(
      `with wanted as (
         select id from ${jobsSchema}.job
         where name = ? and state = 'failed' and completed_on <= ?::timestamptz ${id === undefined ? '' : 'and id = ?::uuid'}
         order by completed_on limit ${atOnce} for update skip locked)
       update ${jobsSchema}.job j
       set state = 'retry', completed_on = null, start_after = ${jobsSchema}.job_now(),
         retry_limit = j.retry_count + 1 + q.retry_limit, deletion_seconds = q.deletion_seconds,
         keep_until = ${jobsSchema}.job_now() + q.retention_seconds * interval '1 second'
       from wanted, ${jobsSchema}.queue q
       where j.name = ? and j.id = wanted.id and q.name = j.name
       returning j.id, j.data->>'tenantId' as tenant_id`,
      [name, until, ...(id === undefined ? [] : [id]), name],
    );
    const byTenant = new Map<string, string[]>();
    for (const { id: jobId, tenant_id: tenantId } of retried)
      if (tenantId !== null) byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), jobId]);
    const events = [...byTenant].map(([tenantId, jobs]) =>
      auditEvent(
        { name: 'retryJobs', args: {} },
        {
          tenantId,
          ...(jobs.length === 1 ? { target: jobs[0]! } : {}),
          changes: { job: name, count: jobs.length },
          actor: 'operator',
          actorKind: 'operator',
          clientAddress: '127.0.0.1',
        },
      ),
    );
    await appendToOutbox(em, database.area, events, { requestId: newId('event'), at: clock.now() });
    return retried.length;
  });
}

/** Addresses may hold a name and a password; a version before has kept what PostgreSQL tells of values. */
function shown(problem: string | null): string {
  if (problem === null) return 'unknown';
  const [told = ''] = problem.split(/\n\s*- detail: /);
  return cut(oneLine(told).replaceAll(/\/\/[^\s/@]*@/g, '//'), longestProblem);
}
