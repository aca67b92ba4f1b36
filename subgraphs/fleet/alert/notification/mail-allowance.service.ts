import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { JobStep } from '#platform/jobs/job.js';

import { maxRecipients } from './notification.inputs.js';

const hourMs = 60 * 60_000;

/** A message to three addresses is three mails. */
export const mailsPerHour = 100;

const used = `select coalesce(sum(mails), 0)::int as used from fleet.notification_delivery
  where tenant_id = ? and mailed_at > ? and id <> ?`;
const take = `update fleet.notification_delivery set mails = ?, mailed_at = ? where tenant_id = ? and id = ?`;

/** Gives back what was taken for mails that the server did not take: an outage is no use of the allowance. */
export async function returnAllowance(step: JobStep, deliveryId: string): Promise<void> {
  const { tenantId } = step.payload;
  await step.write(async ({ em }) => {
    await em.execute(take, [0, step.now, tenantId, deliveryId]);
  });
}

/**
 * Takes the mails of a delivery out of what its tenant may send within an hour, before they leave. One that is tried
 * again counts once, at its newest attempt.
 */
export async function takeAllowance(
  step: JobStep,
  deliveryId: string,
  mails: number,
): Promise<'given' | 'nearly used up' | 'used up'> {
  const { tenantId } = step.payload;
  return step.write(async ({ em }) => {
    await advisoryLock(em, 'fleet.notification_mails', tenantId);
    const since = new Date(step.now.getTime() - hourMs);
    const [sum] = await em.execute<{ used: number }[]>(used, [tenantId, since, deliveryId]);
    const left = mailsPerHour - (sum?.used ?? 0) - mails;
    if (left < 0) return 'used up';
    await em.execute(take, [mails, step.now, tenantId, deliveryId]);
    return left < maxRecipients ? 'nearly used up' : 'given';
  });
}
