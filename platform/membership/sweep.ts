import type { SqlEntityManager } from '../database/database.js';
import type { Enqueue } from '../jobs/job.js';
import type { OutboxEvent } from '../outbox/outbox.js';

/**
 * A background step over all tenants, for due dates, rollups and retention. It runs on the lease holder only, one run
 * at a time, and each run is one transaction as `<area>_jobs` in which the lease's epoch was checked: a process that
 * lost the lease without knowing it writes nothing.
 */
export interface Sweep {
  /** `noun.verb`, unique in its area. */
  name: string;
  /** The pause between the end of one run and the start of the next; up to a second less, as pauses end together. */
  everyMs: number;
  /**
   * A query with rows while there is something to do, `?` standing for now: the sweep is run only then. It has to be
   * answered from an index. Without one the sweep is run each time.
   */
  due?: string;
  /** Whether a statement of it may take minutes, as rollups, erasure and retention do after a long outage. */
  isLong?: boolean;
  /** Takes a bounded batch. Answers 'more' when work is left, to be run again at once. */
  run(step: SweepStep): Promise<'more' | 'done'>;
}

export interface SweepStep {
  em: SqlEntityManager;
  now: Date;
  /** Written to the outbox in the transaction of the run. */
  publish: (event: OutboxEvent) => void;
  /** Asks for a job of the area, enqueued in the same transaction. */
  enqueue: Enqueue;
}
