import type { JobKind, JobPayload } from '#platform/jobs/job.js';

export interface DeliverPayload extends JobPayload {
  deliveryId: string;
  /** How many attempts had been made; another job for the same one does nothing. */
  attempts: number;
}

/** One attempt at one delivery. When the next one is due is the delivery's own to say, not the queue's. */
export const deliverKind: JobKind<DeliverPayload> = {
  name: 'fleet.notification.deliver',
  retry: { limit: 2, delaySeconds: 5, maxDelaySeconds: 30 },
  expireInSeconds: 60,
};
