import { migration, type AreaMigration } from '#platform/database/migrate.js';

/**
 * Whether a tenant's changes of counts are worth folding is known without counting them: one of sixteen is marked, by
 * chance, as it is added. Those that were there before are marked where there are many.
 */
export const countMarksMigration: AreaMigration = migration(
  '093_count_marks',
  `alter table fleet.instance_count add column is_marked boolean not null default false`,
  `update fleet.instance_count c set is_marked = true where c.tenant_id in (
     select i.tenant_id from fleet.instance_count i group by i.tenant_id having count(*) > 20)`,
  `alter table fleet.instance_count alter column is_marked set default random() < 0.0625`,
  `create index instance_count_marked on fleet.instance_count (tenant_id) where is_marked`,
);
