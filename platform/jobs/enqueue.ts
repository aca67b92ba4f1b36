import { PgBoss } from 'pg-boss';

import type { SqlEntityManager } from '../database/database.js';
import { areaRoles } from '../database/roles.js';
import { currentTraceparent } from '../telemetry/tracing.js';
import type { Enqueue, EnqueueOptions, JobKind, JobPayload } from './job.js';
import { asRole } from './role.js';
import { jobsSchema } from './schema.js';

interface Wanted {
  job: JobKind;
  payload: JobPayload;
  options: EnqueueOptions;
}

/** The jobs that one transaction asks for. They are written as its last act, as events are. */
export class JobBatch {
  private readonly wanted: Wanted[] = [];

  readonly enqueue: Enqueue = (job, payload, options = {}) => {
    this.wanted.push({ job, payload, options });
  };

  /**
   * Writes them in the transaction of `em`, as the area's jobs role. `tenantId` is the tenant that the transaction is
   * bound to: it may enqueue work for no other, as the payload decides what a handler sees.
   */
  async send(
    em: SqlEntityManager,
    area: string,
    cause: { requestId: string; tenantId?: string },
  ): Promise<void> {
    if (this.wanted.length === 0) return;
    if (!em.isInTransaction()) throw new Error('jobs are enqueued in the transaction that causes them');
    const queues = new Map<string, Wanted[]>();
    for (const wanted of this.wanted) {
      assertOwn(wanted, area, cause.tenantId);
      queues.set(wanted.job.name, [...(queues.get(wanted.job.name) ?? []), wanted]);
    }
    const traceparent = currentTraceparent();
    const origin = { causedBy: cause.requestId, ...(traceparent === null ? {} : { traceparent }) };
    await asRole(em, areaRoles(area).jobs, async (run) => {
      // Never started: it only puts the statements together.
      const boss = new PgBoss({ db: { executeSql: run }, schema: jobsSchema, migrate: false });
      for (const [name, jobs] of queues) {
        await boss.insert(
          name,
          jobs.map(({ payload, options }) => ({
            data: { ...payload, ...origin },
            ...(options.startAfterSeconds === undefined ? {} : { startAfter: options.startAfterSeconds }),
          })),
        );
      }
    });
  }
}

/** Enqueues one job in the transaction of `em`, for code that has no `Write` at hand. */
export async function enqueue<Payload extends JobPayload>(
  em: SqlEntityManager,
  area: string,
  job: JobKind<Payload>,
  payload: NoInfer<Payload>,
  options: EnqueueOptions & { causedBy: string },
): Promise<void> {
  const batch = new JobBatch();
  batch.enqueue(job, payload, options);
  await batch.send(em, area, { requestId: options.causedBy });
}

function assertOwn({ job, payload }: Wanted, area: string, tenantId: string | undefined): void {
  if (!job.name.startsWith(`${area}.`)) throw new Error(`${area} may not enqueue ${job.name}`);
  if (payload.tenantId === '') throw new Error(`${job.name} was enqueued for no tenant`);
  if (tenantId !== undefined && payload.tenantId !== tenantId) {
    throw new Error(`${job.name} was enqueued for another tenant than that of its transaction`);
  }
}
