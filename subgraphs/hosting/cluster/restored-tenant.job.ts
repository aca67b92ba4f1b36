import type { SqlEntityManager } from '#platform/database/database.js';
import type { JobDefinition, JobKind, JobPayload } from '#platform/jobs/job.js';
import type { Consumer } from '#platform/outbox/consumer.js';

import { claimMs } from '../deployment/retry.js';

/** By then whoever takes up what is due has heard that the tenant is restored, if only by asking. */
const heardMs = 10_000;
/** Whatever was just being put off is by then. */
const onceMoreSeconds = 30;

const wakeKind: JobKind<JobPayload> = {
  name: 'hosting.tenant.wake',
  retry: { limit: 4, delaySeconds: 2, maxDelaySeconds: 30 },
  expireInSeconds: 60,
};

/** What was put off while a tenant was suspended goes on once it is restored. */
export const wakeRestored: Consumer = {
  topics: ['identity.tenant.restored'],
  async handle({ em, event: { tenantId }, now, enqueue }) {
    await wake(em, tenantId, now);
    enqueue(wakeKind, { tenantId }, { startAfterSeconds: onceMoreSeconds });
  },
};

/** The same once more: a process that had not heard of it may have put something off after that. */
export const wakeRestoredJob: JobDefinition = {
  ...wakeKind,
  async handle({ payload: { tenantId }, now, write }) {
    await write(async ({ em }) => wake(em, tenantId, now));
  },
};

/** What is due sooner than whoever has just taken it up has for it comes by itself. */
async function wake(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  const at = new Date(now.getTime() + heardMs);
  const putOff = new Date(now.getTime() + claimMs);
  await em.execute(wakeSql('placement'), [at, tenantId, putOff, tenantId]);
  // What is under way has all its time from now on.
  await em.execute(
    `update hosting.placement_target set started_at = ? where tenant_id = ? and status = 'DEPLOYING' and started_at < ?`,
    [at, tenantId, at],
  );
  await em.execute(wakeSql('deployment'), [at, tenantId, putOff, tenantId]);
}

// Placements first and each in its order, as others lock them.
const wakeSql = (table: 'placement' | 'deployment') => `update hosting.${table} t set due_at = ? from (
    select id from hosting.${table} where tenant_id = ? and due_at > ? order by id for no key update
  ) late where t.tenant_id = ? and t.id = late.id`;
