import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/**
 * How the fleets of clients are, in figures, for their providers. Which client has changed is marked in the database, so
 * that no writer of instances or alerts can forget it, and by rows that are added, so that none waits for another.
 */
export const clientHealthMigration: AreaMigration = migration(
  '109_client_health',
  `create table fleet.client_mark (
    tenant_id text not null,
    id bigint generated always as identity,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('fleet', 'client_mark', { app: [] }),
  `create table fleet.client_told (
    tenant_id text primary key,
    version bigint not null,
    healthy integer not null,
    degraded integer not null,
    offline integer not null,
    critical integer not null,
    warning integer not null,
    info integer not null
  )`,
  ...tenantTableSql('fleet', 'client_told', { app: [] }),

  // As the owner: whoever writes an instance sees nothing of whose client the tenant is.
  `create function fleet.mark_client() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      insert into fleet.client_mark (tenant_id)
        select b.tenant_id from fleet.branding b
        where b.tenant_id = coalesce(new.tenant_id, old.tenant_id) and b.parent_tenant_id is not null;
      return null;
    end $$`,
  `revoke execute on function fleet.mark_client() from public`,
  `create trigger mark_client after insert or delete on fleet.instance
    for each row execute function fleet.mark_client()`,
  `create trigger mark_client_of_change after update on fleet.instance
    for each row when (old.announced_status is distinct from new.announced_status)
    execute function fleet.mark_client()`,
  `create trigger mark_client after insert on fleet.alert
    for each row when (new.status = 'FIRING') execute function fleet.mark_client()`,
  `create trigger mark_client_of_change after update on fleet.alert
    for each row when ((old.status = 'FIRING' or new.status = 'FIRING')
      and (old.status, old.severity) is distinct from (new.status, new.severity))
    execute function fleet.mark_client()`,
  `create trigger mark_client_of_end after delete on fleet.alert
    for each row when (old.status = 'FIRING') execute function fleet.mark_client()`,

  // Clients from before are told of once.
  `insert into fleet.client_mark (tenant_id)
    select tenant_id from fleet.branding where parent_tenant_id is not null`,
);
