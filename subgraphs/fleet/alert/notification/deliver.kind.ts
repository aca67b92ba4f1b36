import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface DeliverPayload extends JobPayload {
  deliveryId: string;
  /** How many attempts had been made; another job for the same one does nothing. */
  attempts: number;
  /** Until when it was taken up for this. */
  dueAt?: string;
}

/** One attempt at one delivery. When the next one is due is the delivery's own to say, not the queue's. */
export const deliverKind: JobKind<DeliverPayload> = {
  name: 'fleet.notification.deliver',
  retry: { limit: 2, delaySeconds: 5, maxDelaySeconds: 30 },
  expireInSeconds: 60,
  atOnce: 8,
};
/** Of those for one tenant, so that one with many channels leaves room for others. */
export const mostOfTenant = 3;
/** Of those to channels that said nothing last time: a receiver that takes a call and is silent has one wait for 15 s. */
export const mostSilent = 4;
/** Before a delivery is tried again for which there was no room. */
export const crowdedMs = 2_000;
