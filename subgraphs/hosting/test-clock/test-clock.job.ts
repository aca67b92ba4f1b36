import type { Consumer } from '#platform/outbox/consumer.js';
import type { TestClockAdvanced } from '#schema/events.js';

/**
 * Hosting keeps the time of the machine, by which providers and clusters go. When a tenant's own time has jumped, servers
 * have waited for as much longer for what comes of its own fleet: their node, or the end of its commands.
 */
export const advanceHosting: Consumer = {
  topics: ['billing.test-clock.advanced'],
  async handle({ em, event }) {
    const { byMs } = event.payload as unknown as TestClockAdvanced;
    await em.execute(
      `update hosting.server
       set phase_at = phase_at - gone.span, due_at = due_at - gone.span, drain_until = drain_until - gone.span,
         version = version + 1
       from (select ?::bigint * interval '1 millisecond' as span) gone
       where tenant_id = ? and phase in ('ENROLLING', 'DRAINING')`,
      [byMs, event.tenantId],
    );
  },
};
