import type { SqlEntityManager } from '#platform/database/database.js';
import type { Enqueue, JobKind, JobPayload } from '#platform/jobs/job.js';

/** Asks Stripe how a tenant's subscription is, and applies it. An outage of hours is waited out; after that reconciling goes on. */
export const syncKind: JobKind<JobPayload> = {
  name: 'billing.subscription.sync',
  retry: { limit: 12, delaySeconds: 2, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};

/** Wants it asked for: by one job, however many ask before that job has looked. */
export async function wantSync(
  { em, enqueue }: { em: SqlEntityManager; enqueue: Enqueue },
  tenantId: string,
  now: Date,
): Promise<void> {
  const [row] = await em.execute<{ wanted: string }[]>(
    `insert into billing.sync_request as r (tenant_id, wanted_at) values (?, ?)
     on conflict (tenant_id) do update set wanted = r.wanted + 1, asked = excluded.asked returning wanted`,
    [tenantId, now],
  );
  if (row?.wanted === '1') enqueue(syncKind, { tenantId });
}
