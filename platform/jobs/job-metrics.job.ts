import type { Database } from '../database/database.js';
import { patience, withPatience } from '../database/patience.js';
import { systemEm } from '../database/system-em.js';
import type { Metrics } from '../metrics.js';
import { jobsSchema } from './schema.js';

interface Queue {
  name: string;
  waiting: string;
  active: string;
  failed: string;
}

/**
 * How many jobs of each kind wait, are at work, and have failed for good, as pg-boss counts them every few seconds while
 * there are any.
 */
export function measureJobs(metrics: Metrics, database: Database, names: readonly string[]): void {
  if (names.length === 0) return;
  metrics.gauge(
    'panel_jobs',
    'Jobs by kind: waiting (also for their next attempt), active, or failed for good within the last week.',
    ['job', 'state'],
    async () => {
      const queues = await withPatience(patience.background, async () =>
        systemEm(database).execute<Queue[]>(
          `select name, queued_count + deferred_count as waiting, active_count as active, failed_count as failed
           from ${jobsSchema}.queue where name in (${names.map(() => '?').join(', ')})`,
          [...names],
        ),
      );
      return queues.flatMap(({ name: job, ...states }) =>
        Object.entries(states).map(([state, count]) => ({ labels: { job, state }, value: Number(count) })),
      );
    },
  );
}
