import type { TestPanel } from './panel.js';
import { until } from './world.js';

/** Tells an area of something in identity that happened earlier, and waits until it has heard of it. */
export async function toldLate(
  panel: TestPanel,
  area: string,
  event: { topic: string; tenantId: string; payload?: Record<string, unknown>; occurredAt: Date },
): Promise<void> {
  const { topic, tenantId, payload = {}, occurredAt } = event;
  const [told] = await panel.sql<{ id: string }>(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_late_' || gen_random_uuid(), $1, $2, $1, $3, 'earlier', $4) returning id`,
    [tenantId, topic, payload, occurredAt],
  );
  await until(async () => {
    const heard = await panel.sql(
      `select 1 from platform.consumer_position p, identity.outbox o
       where p.consumer = $1 and p.source = 'identity' and o.id = $2 and (p.xid, p.id) >= (o.xid, o.id)`,
      [area, told!.id],
    );
    return heard.length > 0;
  }, `${area} to hear of ${topic}`);
}
