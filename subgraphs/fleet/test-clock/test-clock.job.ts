import type { Consumer } from '#platform/outbox/consumer.js';
import type { TestClockAdvanced } from '#schema/events.js';

/** How to read this table: these columns of the tenant's rows that meet the condition become as much earlier as time has jumped. */
interface Moved {
  table: string;
  columns: readonly string[];
  where?: string;
  /** One more assignment. */
  also?: string;
}

// Instances before commands, as everything locks them. Of instances, a trigger has the expiry sweep look in time.
const moved: readonly Moved[] = [
  // Nobody beat in the time that has passed.
  {
    table: 'instance',
    columns: ['last_seen_at', 'offline_at', 'stopped_at', 'status_changed_at', 'regressed_at'],
  },
  { table: 'command', columns: ['start_at', 'due_at', 'expires_at'], where: 'finished_at is null' },
  { table: 'command_invocation', columns: ['leased_until', 'due_at'], where: 'finished_at is null' },
  {
    table: 'alert',
    columns: [
      'started_at',
      'fired_at',
      'last_seen_at',
      'clear_since',
      'acknowledged_at',
      'notified_at',
      'notify_at',
      'observed_to',
    ],
    where: `status <> 'RESOLVED'`,
    also: `told = coalesce((select jsonb_object_agg(channel, to_jsonb((told_at #>> '{}')::timestamptz - gone.span))
      from jsonb_each(told) as t (channel, told_at)), '{}')`,
  },
  // An outage in the time that has passed is not the one that was dealt with before.
  { table: 'alert', columns: ['observed_to'], where: `status = 'RESOLVED'` },
  { table: 'alert_silence', columns: ['starts_at', 'ends_at'], where: 'ends_at > gone.now' },
  {
    table: 'maintenance_window',
    columns: ['starts_at'],
    where: `repeats = 'NEVER' and starts_at + duration_minutes * interval '1 minute' > gone.now`,
  },
  // One that comes again begins by the calendar, and never ends before that.
  {
    table: 'maintenance_window',
    columns: [],
    also: `ends_at = greatest(ends_at - gone.span, starts_at + interval '1 minute')`,
    where: `ends_at > gone.now and (repeats = 'NEVER' or starts_at <= gone.now)`,
  },
  {
    table: 'notification_channel',
    columns: ['previous_secret_until', 'earlier_secret_until'],
    where: 'previous_secret_until > gone.now',
  },
  {
    table: 'notification_delivery',
    columns: ['next_attempt_at'],
    where: 'next_attempt_at is not null',
  },
  { table: 'notification_address', columns: ['token_expires_at'], where: 'token_expires_at > gone.now' },
  {
    table: 'enrollment_token',
    columns: ['expires_at'],
    where: 'revoked_at is null and expires_at > gone.now',
  },
];

const statements = moved.map(({ table, columns, where = 'true', also }) => {
  const sets = [...columns.map((column) => `${column} = ${column} - gone.span`), ...(also ? [also] : [])];
  return `update fleet.${table} set ${sets.join(', ')}
    from (select ?::bigint * interval '1 millisecond' as span, ?::timestamptz as now) gone
    where tenant_id = ? and ${where}`;
});

/**
 * Fleet keeps the machine's time, by which nodes beat. When a tenant's own time has jumped, whatever is under way there
 * becomes as much older: deadlines are as near, and what goes on has gone on for as long, as if that time had passed. What
 * has ended, and what was measured, stays when it was.
 */
export const advanceFleet: Consumer = {
  topics: ['billing.test-clock.advanced'],
  async handle({ em, event, now }) {
    const { tenantId } = event;
    const { byMs } = event.payload as unknown as TestClockAdvanced;
    // In the order of the expiry sweep, so that neither waits for the other in a circle.
    await em.execute('select 1 from fleet.instance where tenant_id = ? order by id for no key update', [
      tenantId,
    ]);
    for (const statement of statements) await em.execute(statement, [byMs, now, tenantId]);
  },
};
