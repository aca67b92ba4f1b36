import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type {
  HealthCounted,
  InstancesCounted,
  MspClientCounted,
  OverallScoreChanged,
} from '#schema/events.js';

/** Keeps what fleet counts: a tenant's own use, and what a provider sees of it, which it is told of with `followHealth`. */
export const countInstances: Consumer = {
  topics: ['fleet.instances.counted'],
  async handle({ em, event }) {
    const { count } = event.payload as unknown as InstancesCounted;
    const kept = await em.execute<unknown[]>(
      `insert into identity.tenant_usage as u (tenant_id, version, instances)
       select t.id, ?, ? from identity.tenant t where t.id = ? for key share
       on conflict (tenant_id) do update set version = excluded.version, instances = excluded.instances
       where u.version < excluded.version returning 1`,
      [event.entityVersion ?? 0, count, event.tenantId],
    );
    if (kept.length === 0) return;
    await em.execute('update identity.msp_client set instances_used = ? where id = ?', [
      count,
      event.tenantId,
    ]);
  },
};

/** Keeps how clients fare, beside what their providers gave them, and tells those. Of others nothing is kept. */
export const followHealth: Consumer = {
  topics: ['fleet.health.counted', 'governance.overall-score.changed'],
  async handle(step) {
    const { topic, payload } = step.event;
    if (topic === 'governance.overall-score.changed') {
      const { score } = payload as unknown as OverallScoreChanged;
      return keep(step, 'score', { overall_score: score });
    }
    const { healthy, degraded, offline, critical, warning, info } = payload as unknown as HealthCounted;
    const alerts = { critical_alerts: critical, warning_alerts: warning, info_alerts: info };
    await keep(step, 'health', { healthy, degraded, offline, ...alerts });
  },
};

/** Changes the record of the client whose event it is, and tells its provider, unless it has this version or a newer one. */
async function keep(
  { em, event, publish }: ConsumerStep,
  of: 'health' | 'score',
  figures: Record<string, number | null>,
): Promise<void> {
  const { tenantId: clientId, entityVersion } = event;
  const version = entityVersion ?? 0;
  const changes = Object.keys(figures).map((column) => `${column} = ?`);
  const [kept] = await em.execute<{ providerId: string }[]>(
    `update identity.msp_client set ${of}_version = ?, ${changes.join(', ')} where id = ? and ${of}_version < ?
     returning tenant_id as "providerId"`,
    [version, ...Object.values(figures), clientId, version],
  );
  if (!kept) return;
  publish({
    topic: 'identity.msp-client.counted',
    tenantId: kept.providerId,
    entityId: clientId,
    payload: { clientId } satisfies MspClientCounted,
  });
}
