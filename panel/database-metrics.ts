import type { Area } from '#platform/area.js';
import type { Database } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import type { Metrics } from '#platform/metrics.js';

type Part = Pick<Area, 'name' | 'migrations'>;

/** What the database itself says of how it is looked after. */
export function measureDatabase(metrics: Metrics, platform: Database, parts: readonly Part[]): void {
  const ask = async <Row extends object>(sql: string, values: string[] = []) =>
    withPatience(patience.background, async () => platform.readerForNobody().execute<Row[]>(sql, values));

  metrics.gauge(
    'panel_last_backup_timestamp_seconds',
    'As of when the last dump is that `npm run backup` took of this database; absent before the first. Other backups are not known.',
    [],
    async () =>
      ask<{ value: number }>('select extract(epoch from made_at)::float8 as value from platform.backup'),
  );

  const contracts = parts.flatMap(({ name, migrations }) =>
    migrations.filter(({ needs }) => needs !== undefined).map((step) => `${name} ${step.name}`),
  );
  const areas = parts.map(({ name }) => name).join(',');
  metrics.gauge(
    'panel_contracts_pending',
    'Steps that this version ends an upgrade with, and the database has not had: they wait until no older process is there.',
    [],
    async () => {
      if (contracts.length === 0) return [{ value: 0 }];
      const rows = await ask<{ step: string }>(
        `select area || ' ' || step as step
         from unnest(string_to_array(?, ',')) area, platform.applied_steps(area) step`,
        [areas],
      );
      const applied = new Set(rows.map(({ step }) => step));
      return [{ value: contracts.filter((step) => !applied.has(step)).length }];
    },
  );
}
