import type { SqlEntityManager } from '../database/database.js';
import type { Enqueue } from '../jobs/job.js';
import type { DeliveredEvent } from './event.js';
import type { OutboxEvent } from './outbox.js';

/**
 * What an area does about facts of other areas. Events come in the order they were committed; handling one and moving
 * on is one transaction, so each takes effect once. One that fails is tried again and
 * holds up those behind it; after ten failures it is set aside in platform.parked_event.
 */
export interface Consumer {
  /**
   * The topics it wants, from whichever area publishes them. One that is new to its area is told from where the outbox
   * begins, up to a day ago; so is one that an older version passed over meanwhile, from where it was heard last.
   */
  topics: readonly string[];
  /** Of one that joins others of its area that want the same topic: without it, it is told what they have not had. */
  name?: string;
  /**
   * Whether an event may also come after later ones of the same thing: it goes by versions, or by what is so now. Only such
   * are told once more of what was set aside.
   */
  bearsLate?: true;
  handle(step: ConsumerStep): Promise<void>;
}

export interface ConsumerStep {
  /** As `<area>_jobs` of the consuming area. */
  em: SqlEntityManager;
  event: DeliveredEvent;
  now: Date;
  /** Written to the consuming area's outbox in the same transaction. */
  publish: (event: OutboxEvent) => void;
  /** Asks for a job of the consuming area, enqueued in the same transaction. */
  enqueue: Enqueue;
}
