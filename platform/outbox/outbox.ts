import type { SqlEntityManager } from '../database/database.js';
import { newId } from '../ids.js';
import { currentTraceparent } from '../telemetry/tracing.js';

/** A fact that happened, as it is written beside the change that made it true. Payloads carry ids and facts only. */
export interface OutboxEvent {
  /** `area.noun.past-participle`, one of schema/events.ts. */
  topic: string;
  tenantId: string;
  entityId: string;
  /** The entity's version after the change, so that a consumer can ignore what it has overtaken. */
  entityVersion?: number;
  payload: Record<string, unknown>;
  /** The request that caused it, where one transaction serves several. */
  causedBy?: string;
  /** The trace of that request; null without one. */
  traceparent?: string | null;
}

/** Writes events in the transaction of `em`; throws outside one, where an event could outlive a failed change. */
export async function appendToOutbox(
  em: SqlEntityManager,
  area: string,
  events: readonly OutboxEvent[],
  cause: { requestId: string; at: Date },
): Promise<void> {
  if (events.length === 0) return;
  if (!em.isInTransaction())
    throw new Error('events are written in the transaction of the change they tell of');
  const row = '(?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?)';
  const traceparent = currentTraceparent();
  await em.execute(
    `insert into ${area}.outbox
      (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, traceparent, occurred_at)
     values ${events.map(() => row).join(', ')}`,
    events.flatMap((event) => [
      newId('event'),
      event.tenantId,
      event.topic,
      event.entityId,
      event.entityVersion ?? null,
      JSON.stringify(event.payload),
      event.causedBy ?? cause.requestId,
      event.traceparent === undefined ? traceparent : event.traceparent,
      cause.at.toISOString(),
    ]),
  );
}
