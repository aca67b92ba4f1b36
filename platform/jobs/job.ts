import type { SqlEntityManager } from '../database/database.js';
import type { OutboxEvent } from '../outbox/outbox.js';

/** What a job is told. It must survive JSON; ids rather than copies of rows. */
export interface JobPayload {
  tenantId: string;
}

/**
 * A kind of job, as it is named when one is enqueued. Kept apart from its handler, which usually needs the very
 * services that enqueue it.
 */
export interface JobKind<Payload extends JobPayload = JobPayload> {
  /** `area.noun.verb` */
  name: string;
  retry: {
    /** Attempts after the first one. At least 1 for work that must survive the death of its process. */
    limit: number;
    /** The pause before the second attempt; it doubles with each further one, with jitter. */
    delaySeconds: number;
    maxDelaySeconds: number;
  };
  /** How long one attempt may take. */
  expireInSeconds: number;
  /** How many a process does at a time, where they mostly wait for answers; as many as of other kinds unless told. */
  atOnce?: number;
  /** Never set: it ties the payload's type to the kind. */
  readonly payload?: Payload;
}

/**
 * A kind of job and its handler. A job runs at least once: an attempt that has done its work may still be repeated when
 * its process dies before it could say so, so handlers are safe to repeat.
 */
export interface JobDefinition<Payload extends JobPayload = JobPayload> extends JobKind<Payload> {
  /** What it throws fails the attempt; the job is tried again until `retry.limit`, and stays as failed after that. */
  handle(step: JobStep<Payload>): Promise<void>;
}

/** One attempt at a job. */
export interface JobStep<Payload extends JobPayload = JobPayload> {
  /** For reads, as the payload's tenant. */
  em: SqlEntityManager;
  payload: Payload;
  /** The same at every attempt: an idempotency key for whatever is called outside. */
  jobId: string;
  /** From 1. */
  attempt: number;
  isLastAttempt: boolean;
  now: Date;
  /** Aborted when the attempt's time is over, when another process took the job over, and when this one stops. */
  signal: AbortSignal;
  /** The id of the request that led to it. */
  causedBy: string;
  /**
   * Runs `work` in one transaction as the tenant, in which it is certain that this attempt still is the current one. No
   * calls to the outside inside it: while it is open nobody can take the job over.
   */
  write: <T>(work: (write: JobWrite) => Promise<T>) => Promise<T>;
}

/** One transaction of a job: the entity manager, and what is published and enqueued if it commits. */
export interface JobWrite {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
  enqueue: Enqueue;
}

export interface EnqueueOptions {
  /** Not before this many seconds from now. */
  startAfterSeconds?: number;
}

/** Asks for a job, to be enqueued if and when the transaction commits. */
export type Enqueue = <Payload extends JobPayload>(
  job: JobKind<Payload>,
  payload: NoInfer<Payload>,
  options?: EnqueueOptions,
) => void;
