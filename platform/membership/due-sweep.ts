import type { JobKind, JobPayload } from '../jobs/job.js';
import type { Sweep } from './sweep.js';

/** Rows of a tenant's table that say by a column of theirs when they are due, and the job that does what is due. */
export interface DueRows<Payload extends JobPayload> {
  /** The name of the sweep. */
  name: string;
  everyMs: number;
  /** With its schema. Its key is `tenant_id` and `id`. */
  table: string;
  /** A column with an index of its own; `due_at` unless told. */
  column?: string;
  /** How many of a tenant's are taken up in one transaction; 100 unless told. */
  atOnce?: number;
  /** How long whoever takes one up has for it before it is due again. */
  claimMs: number;
  job: JobKind<Payload>;
  /** Also told until when it is taken up, which the row says from then on while nobody else has. */
  payload: (tenantId: string, id: string, until: Date) => NoInfer<Payload>;
}

/**
 * Has a job do what is due: for one tenant's rows at a time, whoever's is due first. A row that somebody is at is passed
 * over, as it is about to say anew when it is due. Whoever dies over one leaves it due again.
 */
export function dueSweep<Payload extends JobPayload>({
  name,
  everyMs,
  table,
  column = 'due_at',
  atOnce = 100,
  claimMs,
  job,
  payload,
}: DueRows<Payload>): Sweep {
  const due = `from ${table} d where d.${column} <= ?`;
  const taken = `order by d.${column} limit ? for update skip locked`;
  const claim = `with first as (select d.tenant_id ${due} ${taken})
    update ${table} t set ${column} = ? where t.tenant_id = (select first.tenant_id from first) and t.id in (
      select d.id ${due} and d.tenant_id = (select first.tenant_id from first) ${taken})
    returning t.tenant_id as "tenantId", t.id`;
  return {
    name,
    everyMs,
    due: `select ${due}`,
    async run({ em, now, enqueue }) {
      const until = new Date(now.getTime() + claimMs);
      const claimed = await em.execute<{ tenantId: string; id: string }[]>(claim, [
        now,
        1,
        until,
        now,
        atOnce,
      ]);
      for (const { tenantId, id } of claimed) enqueue(job, payload(tenantId, id, until));
      return claimed.length > 0 ? 'more' : 'done';
    },
  };
}
