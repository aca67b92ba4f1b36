import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { ownerPolicySql, tenantTableSql } from '#platform/database/row-level-security.js';

const measures = ['cpu', 'memory', 'disk'].map(
  (name) =>
    `${name}_sum double precision not null, ${name}_min double precision not null, ${name}_max double precision not null`,
);

// Of every metric the sum, count, minimum and maximum: what coarser buckets can be made of without loss. A sample
// always has cpu, memory and disk, but a network rate only when the sample before it is near.
const rollupColumns = `samples integer not null, ${measures.join(', ')},
  net_count integer not null, net_sum double precision, net_min double precision, net_max double precision`;

/** Status as it was last told, counts by status, and the tiers of metrics. */
export const metricsMigration: AreaMigration = migration(
  '002_metrics',
  // `condition` said what `announced_status` says now, which knows OFFLINE as well. It changes on transitions only, so
  // it may be indexed without costing beats their HOT updates.
  `alter table fleet.instance
    drop column condition,
    add column announced_status text not null default 'OFFLINE'
      check (announced_status in ('HEALTHY', 'DEGRADED', 'OFFLINE')),
    add column status_changed_at timestamptz,
    add column streaks jsonb not null default '{}',
    add column sampled_at timestamptz`,
  `create index instance_announced_status on fleet.instance (tenant_id, announced_status, id)`,

  // When each instance that is not announced OFFLINE is to be looked at: never later than its offline_at. A beat leaves
  // its row alone and the sweep moves it on, so that no column that a beat writes is indexed.
  `create table fleet.instance_expiry (
    tenant_id text not null,
    instance_id text not null,
    check_at timestamptz not null,
    primary key (tenant_id, instance_id)
  ) with (fillfactor = 70)`,
  `create index instance_expiry_check_at on fleet.instance_expiry (check_at)`,
  ...tenantTableSql('fleet', 'instance_expiry'),

  // Counts of a tenant are the sum of its rows. Changes are appended, so that writers never wait for each other; a
  // sweep folds them.
  `create table fleet.instance_count (
    tenant_id text not null,
    id bigint generated always as identity,
    healthy integer not null,
    degraded integer not null,
    offline integer not null,
    apps bigint not null,
    cpu_cores bigint not null,
    memory_gb numeric not null,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('fleet', 'instance_count'),

  // In the database, so that no writer of instances can forget it.
  `create function fleet.follow_instance() returns trigger language plpgsql set search_path = pg_catalog as $$
    declare
      -- Of a row that comes, old is null; of one that goes, new is.
      tenant text := coalesce(new.tenant_id, old.tenant_id);
    begin
      insert into fleet.instance_count (tenant_id, healthy, degraded, offline, apps, cpu_cores, memory_gb) values (
        tenant,
        coalesce(new.announced_status = 'HEALTHY', false)::int - coalesce(old.announced_status = 'HEALTHY', false)::int,
        coalesce(new.announced_status = 'DEGRADED', false)::int - coalesce(old.announced_status = 'DEGRADED', false)::int,
        coalesce(new.announced_status = 'OFFLINE', false)::int - coalesce(old.announced_status = 'OFFLINE', false)::int,
        coalesce(new.apps_count, 0) - coalesce(old.apps_count, 0),
        coalesce(new.cpu_cores, 0) - coalesce(old.cpu_cores, 0),
        coalesce(new.memory_gb, 0)::numeric - coalesce(old.memory_gb, 0)::numeric);
      if coalesce(new.announced_status, 'OFFLINE') = 'OFFLINE' then
        delete from fleet.instance_expiry where tenant_id = tenant and instance_id = old.id;
      elsif coalesce(old.announced_status, 'OFFLINE') = 'OFFLINE' then
        insert into fleet.instance_expiry (tenant_id, instance_id, check_at)
          values (tenant, new.id, new.offline_at)
          on conflict (tenant_id, instance_id) do update set check_at = excluded.check_at;
      elsif new.offline_at < old.offline_at then
        update fleet.instance_expiry set check_at = new.offline_at
          where tenant_id = tenant and instance_id = new.id and check_at > new.offline_at;
      end if;
      return null;
    end $$`,
  `create trigger follow_comings_and_goings after insert or delete on fleet.instance
    for each row execute function fleet.follow_instance()`,
  `create trigger follow_changes after update on fleet.instance
    for each row when (new.offline_at < old.offline_at or (old.announced_status, old.apps_count, old.cpu_cores, old.memory_gb)
        is distinct from (new.announced_status, new.apps_count, new.cpu_cores, new.memory_gb))
    execute function fleet.follow_instance()`,
  `insert into fleet.instance_count (tenant_id, healthy, degraded, offline, apps, cpu_cores, memory_gb)
    select tenant_id, 0, 0, count(*), coalesce(sum(apps_count), 0), coalesce(sum(cpu_cores), 0),
      coalesce(sum(memory_gb), 0)::numeric
    from fleet.instance group by tenant_id`,

  // The line of versions (major.minor) that most of a tenant's instances run.
  `create table fleet.version_baseline (
    tenant_id text primary key,
    major integer not null,
    minor integer not null
  )`,
  ...tenantTableSql('fleet', 'version_baseline'),

  // Samples come in the order of time over all instances, and are read of one instance.
  `create table fleet.metrics_hourly (
    tenant_id text not null,
    instance_id text not null,
    hour timestamptz not null,
    ${rollupColumns},
    primary key (tenant_id, instance_id, hour)
  ) partition by range (hour)`,
  `create table fleet.metrics_hourly_default partition of fleet.metrics_hourly default`,
  ...tenantTableSql('fleet', 'metrics_hourly'),
  `create table fleet.metrics_daily (
    tenant_id text not null,
    instance_id text not null,
    day timestamptz not null,
    ${rollupColumns},
    primary key (tenant_id, instance_id, day)
  )`,
  `create index metrics_daily_day on fleet.metrics_daily (day)`,
  ...tenantTableSql('fleet', 'metrics_daily'),

  // Hours of an instance whose rollup is not what its samples say: not made yet, or overtaken by a late sample.
  `create table fleet.metrics_dirty (
    tenant_id text not null,
    instance_id text not null,
    hour timestamptz not null,
    marks integer not null default 1,
    primary key (tenant_id, instance_id, hour)
  )`,
  `create index metrics_dirty_hour on fleet.metrics_dirty (hour)`,
  ...tenantTableSql('fleet', 'metrics_dirty'),
  `insert into fleet.metrics_dirty (tenant_id, instance_id, hour)
    select distinct tenant_id, instance_id, date_trunc('hour', at, 'UTC') from fleet.metrics_sample`,

  ...['metrics_sample_default', 'metrics_hourly_default'].flatMap((table) => [
    `alter table fleet.${table} enable row level security`,
    `alter table fleet.${table} force row level security`,
    ...ownerPolicySql('fleet', table),
  ]),
  ...partitionFunctionsSql(),
);

/**
 * Partitions are made and dropped by their owner's hand, which the application has not: two functions do it for the
 * jobs role, for these two tables only.
 */
function partitionFunctionsSql(): string[] {
  const guard = `if parent not in ('metrics_sample', 'metrics_hourly') then
        raise exception 'no partitions of % are made here', parent; end if;`;
  return [
    // Rows that came before their partition was there are in the default one and move over. Meanwhile nothing may
    // land there.
    `create function fleet.add_partition(parent text, low date, high date) returns boolean
      language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' set lock_timeout = '3s' as $$
      declare
        part text := parent || '_' || to_char(low, 'YYYYMMDD');
        key text := case parent when 'metrics_sample' then 'at' else 'hour' end;
      begin
        ${guard}
        if to_regclass(format('fleet.%I', part)) is not null then return false; end if;
        execute format('lock table fleet.%I in access exclusive mode', parent || '_default');
        execute format('create table fleet.%I (like fleet.%I including defaults including constraints)', part, parent);
        execute format('with moved as (delete from fleet.%I where %I >= %L::timestamptz and %I < %L::timestamptz returning *)
          insert into fleet.%I select * from moved', parent || '_default', key, low, key, high, part);
        execute format('alter table fleet.%I attach partition fleet.%I for values from (%L) to (%L)', parent, part, low, high);
        execute format('alter table fleet.%I enable row level security', part);
        execute format('alter table fleet.%I force row level security', part);
        execute format('create policy owner on fleet.%I to current_user using (true) with check (true)', part);
        return true;
      end $$`,
    `create function fleet.drop_partitions(parent text, before date) returns integer
      language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' set lock_timeout = '3s' as $$
      declare
        part record;
        dropped integer := 0;
      begin
        ${guard}
        for part in
          select c.relname as name
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = format('fleet.%I', parent)::regclass
            and (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz <= before
        loop
          execute format('drop table fleet.%I', part.name);
          dropped := dropped + 1;
        end loop;
        execute format('delete from fleet.%I where %I < %L::timestamptz', parent || '_default',
          case parent when 'metrics_sample' then 'at' else 'hour' end, before);
        return dropped;
      end $$`,
    ...['add_partition(text, date, date)', 'drop_partitions(text, date)'].flatMap((name) => [
      `revoke execute on function fleet.${name} from public`,
      `grant execute on function fleet.${name} to fleet_jobs`,
    ]),
  ];
}
