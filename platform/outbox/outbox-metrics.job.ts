import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { patience, withPatience } from '../database/patience.js';
import { systemEm } from '../database/system-em.js';
import type { Metrics, Reading } from '../metrics.js';
import type { Consumer } from './consumer.js';

export interface OutboxMetricsOptions {
  /** The area that consumes. */
  database: Database;
  consumers: readonly Consumer[];
  sources: readonly Database[];
  clock: Clock;
}

/** How far an area is behind with the events that it wants, and which it has set aside. */
export function measureConsumers(metrics: Metrics, options: OutboxMetricsOptions): void {
  const { database, consumers, sources } = options;
  if (consumers.length === 0) return;
  metrics.gauge(
    'panel_outbox_lag_seconds',
    'Age of the oldest event that a consumer wants and has not had; 0 when it has had all.',
    ['consumer', 'source'],
    async () => Promise.all(sources.map(async (source) => lagOf(options, source))),
  );
  metrics.gauge(
    'panel_parked_events',
    'Events that a consumer could not take in, set aside in platform.parked_event.',
    ['consumer', 'source'],
    async () => {
      const rows = await withPatience(patience.background, async () =>
        systemEm(database).execute<{ source: string; count: string }[]>(
          'select source, count from platform.count_parked_events(?)',
          [database.area],
        ),
      );
      const counts = new Map(rows.map(({ source, count }) => [source, Number(count)]));
      return sources.map(({ area: source }) => ({
        labels: { consumer: database.area, source },
        value: counts.get(source) ?? 0,
      }));
    },
  );
}

async function lagOf(
  { database, consumers, clock }: OutboxMetricsOptions,
  source: Database,
): Promise<Reading> {
  const topics = [...new Set(consumers.flatMap((consumer) => consumer.topics))];
  const [oldest] = await withPatience(patience.background, async () =>
    systemEm(source).execute<{ occurred_at: Date | string }[]>(
      `select o.occurred_at from (select 1) one
         left join platform.consumer_position p on p.consumer = ? and p.source = ?
         cross join lateral (
           select occurred_at from ${source.area}.outbox
           where (timeline, xid, id) > (coalesce(p.timeline, 0), coalesce(p.xid, '0'), coalesce(p.id, 0))
             and topic in (${topics.map(() => '?').join(', ')})
           order by timeline, xid, id limit 1
         ) o`,
      [database.area, source.area, ...topics],
    ),
  );
  const age = oldest ? clock.now().getTime() - new Date(oldest.occurred_at).getTime() : 0;
  return { labels: { consumer: database.area, source: source.area }, value: Math.max(0, age / 1000) };
}
