import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/** The audit trail: one hash chain per tenant, to which rows are only ever added. */
export const auditMigration: AreaMigration = migration(
  '074_audit',
  `create table identity.audit_event (
    tenant_id text not null,
    sequence bigint not null check (sequence > 0),
    event_id text not null,
    category text not null check (category in ('MUTATION', 'SECURITY')),
    action text not null,
    actor text not null,
    actor_kind text not null,
    target text,
    client_address text not null,
    request_id text not null,
    details jsonb not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    previous_hash text not null,
    hash text not null,
    primary key (tenant_id, sequence)
  )`,
  `create index audit_event_actor on identity.audit_event (tenant_id, actor, sequence)`,
  `create index audit_event_action on identity.audit_event (tenant_id, action, sequence)`,
  `create index audit_event_target on identity.audit_event (tenant_id, target, sequence)`,
  `create index audit_event_occurred_at on identity.audit_event (tenant_id, occurred_at)`,
  // Nobody may change or remove a row; the two functions below are the only way that rows go.
  ...tenantTableSql('identity', 'audit_event', { app: ['select'], jobs: ['select', 'insert'] }),

  // Where a chain begins and ends. Sealed with SECRETS_KEY, so that it can't be moved along with the rows.
  `create table identity.audit_head (
    tenant_id text primary key,
    first_after bigint not null default 0,
    first_after_hash text not null default '',
    last_sequence bigint not null default 0,
    last_hash text not null default '',
    sealed_head text,
    restored_at timestamptz
  )`,
  ...tenantTableSql('identity', 'audit_head', { app: ['select'], jobs: ['select', 'insert', 'update'] }),
  `insert into identity.audit_head (tenant_id) select id from identity.tenant`,
  // A tenant has a head from its beginning: one without has lost it.
  `create function identity.begin_audit() returns trigger language plpgsql security definer
    set search_path = pg_catalog as
    $$ begin insert into identity.audit_head (tenant_id) values (new.id); return null; end $$`,
  `create trigger begin_audit after insert on identity.tenant
    for each row execute function identity.begin_audit()`,

  // Removes the oldest rows up to the first one that is to be kept, and answers the last one removed.
  `create function identity.expire_audit(tenant text, before timestamptz)
    returns table (sequence bigint, hash text)
    language plpgsql security definer set search_path = pg_catalog as $$
    declare keep_from bigint;
    begin
      select min(e.sequence) into keep_from from identity.audit_event e
        where e.tenant_id = tenant and e.recorded_at >= before;
      return query
        with gone as (
          delete from identity.audit_event e
          where e.tenant_id = tenant and e.recorded_at < before and (keep_from is null or e.sequence < keep_from)
          returning e.sequence, e.hash
        )
        select g.sequence, g.hash from gone g order by g.sequence desc limit 1;
    end $$`,
  `create function identity.erase_audit(tenant text) returns void
    language sql security definer set search_path = pg_catalog as
    $$ delete from identity.audit_event e where e.tenant_id = tenant;
       delete from identity.audit_head h where h.tenant_id = tenant $$`,
  ...['expire_audit(text, timestamptz)', 'erase_audit(text)'].flatMap((signature) => [
    `revoke execute on function identity.${signature} from public`,
    `grant execute on function identity.${signature} to identity_jobs`,
  ]),
);
