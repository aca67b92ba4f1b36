import type { JobKind, JobPayload } from '#platform/jobs/job.js';

/** Looks at what a partner's customer has paid. After an outage that it does not outlast, the next look asks for it again. */
export const paidInvoicesKind: JobKind<JobPayload> = {
  name: 'billing.paid-invoices.look',
  retry: { limit: 12, delaySeconds: 2, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 120,
};
