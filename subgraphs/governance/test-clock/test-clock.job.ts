import type { Consumer } from '#platform/outbox/consumer.js';
import type { TestClockAdvanced } from '#schema/events.js';

import { judgeLater, tellRulesChanged } from '../result/rules-changed.service.js';

/** How to read this table: of the tenant's rows that meet the condition these columns become as much earlier as time has jumped. */
interface Moved {
  table: string;
  columns: readonly string[];
  where: string;
  /** One more assignment. */
  also?: string;
}

// A bake that is over has a minute left: so long nodes, which beat by the machine's time, have to be heard again.
const beatAgain = `gone.now + interval '1 minute'`;

const moved: readonly Moved[] = [
  // What fell silent since is told with the time that it is by then.
  { table: 'node', columns: ['offline_since'], where: 'offline_since <= gone.at' },
  { table: 'exemption', columns: ['expires_at'], where: 'expires_at > gone.now' },
  { table: 'canary', columns: ['start_at', 'due_at'], where: `status = 'PENDING'` },
  { table: 'canary', columns: ['phase_at', 'due_at'], where: `status in ('RUNNING', 'PROMOTING')` },
  {
    table: 'canary',
    columns: [],
    where: `status = 'BAKING'`,
    also: `bake_until = least(bake_until, greatest(bake_until - gone.span, ${beatAgain})), due_at = ${beatAgain}`,
  },
  { table: 'remediation', columns: ['due_at'], where: 'finished_at is null' },
  { table: 'gitops_config', columns: ['next_check_at'], where: 'next_check_at > gone.now' },
];

const statements = moved.map(({ table, columns, where, also }) => {
  const sets = [...columns.map((column) => `${column} = ${column} - gone.span`), ...(also ? [also] : [])];
  return `update governance.${table} set ${sets.join(', ')}
    from (select ?::bigint * interval '1 millisecond' as span, ?::timestamptz as at, ?::timestamptz as now) gone
    where tenant_id = ? and ${where}`;
});

/**
 * Governance keeps the machine's time, by which nodes beat and fleet's commands are known. When a tenant's own time has
 * jumped, what it waits for comes as much earlier, and all is judged anew: exemptions may have ended, and what silent
 * instances said last may be too old. What was measured and reported stays when it was.
 */
export const advanceGovernance: Consumer = {
  topics: ['billing.test-clock.advanced'],
  async handle({ em, event, now, publish }) {
    const { tenantId, occurredAt } = event;
    const { byMs } = event.payload as unknown as TestClockAdvanced;
    // Locks in the order of those who change policies.
    await tellRulesChanged({ em, publish }, tenantId, now, null);
    await em.execute(
      'select 1 from governance.node where tenant_id = ? and offline_since is not null order by id for update',
      [tenantId],
    );
    for (const statement of statements) await em.execute(statement, [byMs, occurredAt, now, tenantId]);
    await judgeLater(em, tenantId, now);
  },
};
