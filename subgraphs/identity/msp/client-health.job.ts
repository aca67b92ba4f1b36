import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type {
  HealthCounted,
  InstancesCounted,
  MspClientCounted,
  OverallScoreChanged,
} from '#schema/events.js';

/** Keeps what fleet counts: a tenant's own use, and what a provider sees of it. */
export const countInstances: Consumer = {
  topics: ['fleet.instances.counted'],
  async handle(step) {
    const { em, event } = step;
    const { count } = event.payload as unknown as InstancesCounted;
    const kept = await em.execute<unknown[]>(
      `insert into identity.tenant_usage as u (tenant_id, version, instances)
       select t.id, ?, ? from identity.tenant t where t.id = ? for key share
       on conflict (tenant_id) do update set version = excluded.version, instances = excluded.instances
       where u.version < excluded.version returning 1`,
      [event.entityVersion ?? 0, count, event.tenantId],
    );
    if (kept.length > 0) await keep(step, 'instances_used = ?', 'instances_used <> ?', [count], [count]);
  },
};

/** Keeps how clients fare, beside what their providers gave them. Of others nothing is kept. */
export const followHealth: Consumer = {
  topics: ['fleet.health.counted', 'governance.overall-score.changed'],
  async handle(step) {
    const { topic, payload, entityVersion } = step.event;
    const version = entityVersion ?? 0;
    if (topic === 'governance.overall-score.changed') {
      const { score } = payload as unknown as OverallScoreChanged;
      const change = 'score_version = ?, overall_score = ?';
      return keep(step, change, 'score_version < ?', [version, score], [version]);
    }
    const { healthy, degraded, offline, critical, warning, info } = payload as unknown as HealthCounted;
    await keep(
      step,
      `health_version = ?, healthy = ?, degraded = ?, offline = ?, critical_alerts = ?, warning_alerts = ?,
         info_alerts = ?`,
      'health_version < ?',
      [version, healthy, degraded, offline, critical, warning, info],
      [version],
    );
  },
};

/** Changes the record of the client whose event it is, and tells its provider, unless it is newer than the event. */
async function keep(
  { em, event, publish }: ConsumerStep,
  change: string,
  isNews: string,
  values: readonly unknown[],
  seen: readonly unknown[],
): Promise<void> {
  const { tenantId: clientId } = event;
  const [kept] = await em.execute<{ providerId: string }[]>(
    `update identity.msp_client set ${change} where id = ? and ${isNews} returning tenant_id as "providerId"`,
    [...values, clientId, ...seen],
  );
  if (!kept) return;
  publish({
    topic: 'identity.msp-client.counted',
    tenantId: kept.providerId,
    entityId: clientId,
    payload: { clientId } satisfies MspClientCounted,
  });
}
