import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { erasureTableSql } from '#platform/erasure/erasure.sql.js';

/** Tenants are erased a little at a time, the audit trail by doors of its own. */
export const erasureMigration: AreaMigration = migration(
  '081_erasure',
  ...erasureTableSql('identity'),
  ...[
    { table: 'audit_event', order: 'order by sequence' },
    { table: 'audit_head', order: '' },
  ].flatMap(({ table, order }) => [
    `create function identity.take_${table}(tenant text, at_most integer) returns setof identity.${table}
      language sql security definer set search_path = pg_catalog as
      $$ delete from identity.${table} where ctid = any(array(
           select ctid from identity.${table} where tenant_id = tenant ${order} limit at_most)) returning * $$`,
    `revoke execute on function identity.take_${table}(text, integer) from public`,
    `grant execute on function identity.take_${table}(text, integer) to identity_jobs`,
  ]),
  `drop function identity.erase_audit(text)`,
);
