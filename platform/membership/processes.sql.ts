import { migration, type AreaMigration } from '../database/migrate.js';
import { isGoneSql } from './process-session.js';

/** A process that has said nothing for so long is taken to be gone although its session stands: it is frozen. */
export const silentSeconds = 10;

/** True in SQL of a row of `platform.process` whose process is there. */
export const isThereSql = (row: string) =>
  `(${row}.beat_at > now() - interval '${silentSeconds} seconds' and not ${isGoneSql(`${row}.id`)})`;

/**
 * True in SQL of a row of `platform.lease` that somebody holds. Who is in a step that takes long cannot renew it, and
 * nobody else can take it: it is over by its time only.
 */
export const isHeldSql = (lease: string) =>
  `(not ${isGoneSql(`${lease}.holder`)} and (${lease}.expires_at > now() or exists (
    select from platform.process h where h.id = ${lease}.holder and ${isThereSql('h')})))`;

/** True in SQL of a row of `platform.process` that is to go: its process ended long ago, without a word. */
export const isForgottenSql = (row: string) => `${row}.beat_at < now() - interval '10 minutes'`;

/** True in SQL of a row of `platform.ha_change` that tells of a failover, and not of the first or a new start. */
export const isFailoverSql = `(from_name is not null or kind = 'database')`;

/**
 * Who makes up the panel. Nothing here belongs to a tenant. Areas that show it get their rights in steps of their own.
 */
export const processesMigration: AreaMigration = migration(
  '004_processes',
  `create table platform.process (
      id text primary key,
      node_name text not null,
      version text not null,
      address text not null,
      areas text[] not null,
      state text not null check (state in ('running', 'draining')),
      started_at timestamptz not null default now(),
      beat_at timestamptz not null default now(),
      -- What it is told at its next beat.
      told text check (told in ('restart'))
    )`,
  `grant select, insert, update, delete on platform.process to platform_app`,
  // Who was seen last to run the panel and its database, and what everything looked like then.
  `create table platform.ha_seen (
      is_only boolean primary key default true check (is_only),
      fingerprint text not null,
      leader_id text,
      leader_node text,
      database_leader text,
      timeline bigint
    )`,
  `create table platform.ha_change (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('panel', 'database')),
      from_name text,
      to_name text,
      -- Of the panel its lease's epoch, of the database its timeline.
      epoch bigint,
      occurred_at timestamptz not null default now()
    )`,
  // Names the process as the holder at once. Its update waits for the singletons' transactions under way, as each holds
  // the row of its lease; whatever they begin after it is refused by the epoch.
  `create function platform.move_leases(to_process text, named text[], seconds integer) returns setof text
      language plpgsql security definer set search_path = pg_catalog as $$
      begin
        return query update platform.lease l set holder = to_process, epoch = l.epoch + 1, acquired_at = now(),
            expires_at = now() + make_interval(secs => seconds)
          where l.name = any(named) and l.holder <> to_process returning l.name;
        perform pg_notify('membership', '');
      end $$`,
  // Returns when no singleton is in a transaction.
  `create function platform.await_singletons() returns void
      language plpgsql security definer set search_path = pg_catalog as $$
      begin perform from platform.lease order by name for update; end $$`,
  `create function platform.tell_process(process text, what text) returns void
      language plpgsql security definer set search_path = pg_catalog as $$
      begin
        update platform.process p set told = what where p.id = process;
        perform pg_notify('membership', '');
      end $$`,
  `create function platform.forget_processes() returns void
      language sql security definer set search_path = pg_catalog as
      $$ delete from platform.process p where ${isForgottenSql('p')} $$`,
  `create function platform.timeline_of_server() returns bigint
      language sql stable security definer set search_path = pg_catalog as $$
      select case when pg_is_in_recovery() then null
        else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint end $$`,
  // Seen with the owner's rights: a superuser's, or those of pg_monitor. Without them the state is null.
  `create function platform.replication()
      returns table (name text, address text, state text, sync_state text, lag_ms double precision, lag_bytes double precision)
      language sql stable security definer set search_path = pg_catalog as $$
      select r.application_name, coalesce(host(r.client_addr), 'local'), r.state, r.sync_state,
        -- Null once a standby that has everything has said so for a while.
        case when r.replay_lag is not null then extract(epoch from r.replay_lag)::double precision * 1000
          when r.replay_lsn >= r.sent_lsn then 0 end,
        pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::double precision
      from pg_stat_replication r
      where not pg_is_in_recovery() and r.application_name <> 'pg_basebackup' $$`,
  // What anyone would call a change: who is there and how, who holds what, and which servers stream.
  `create function platform.ha_fingerprint() returns text
      language sql stable security definer set search_path = pg_catalog as $$
      select md5(concat_ws(';',
        (select string_agg(concat_ws(',', p.id, p.version, p.address, p.state, ${isThereSql('p')}), '|' order by p.id)
          from platform.process p),
        (select string_agg(concat_ws(',', l.name, l.holder, l.epoch, ${isHeldSql('l')}), '|' order by l.name)
          from platform.lease l),
        (select string_agg(concat_ws(',', r.name, r.address, r.state, r.sync_state), '|' order by r.name, r.address)
          from platform.replication() r),
        platform.timeline_of_server())) $$`,
  // A rolling upgrade: one step for each process, the leader's last.
  `create table platform.upgrade (
      id text primary key,
      version text not null,
      status text not null check (status in ('running', 'paused', 'succeeded', 'cancelled')),
      reason text,
      asked_by text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
  `create unique index upgrade_open on platform.upgrade ((true)) where status in ('running', 'paused')`,
  `create table platform.upgrade_step (
      upgrade_id text not null references platform.upgrade (id) on delete cascade,
      position integer not null,
      node_name text not null,
      process_id text not null,
      status text not null check (status in ('pending', 'draining', 'healthy', 'failed')),
      from_version text not null,
      -- The process that came in its place.
      new_process_id text,
      started_at timestamptz,
      finished_at timestamptz,
      primary key (upgrade_id, position)
    )`,
  `revoke execute on function platform.move_leases(text, text[], integer), platform.await_singletons(),
    platform.tell_process(text, text), platform.forget_processes(), platform.timeline_of_server(),
    platform.replication(), platform.ha_fingerprint() from public`,
);

/** For what looks for old changes and upgrades, and for the latest failover, however many new starts came after it. */
export const haHistoryMigration: AreaMigration = migration(
  '005_ha_history',
  `create index ha_change_occurred_at on platform.ha_change (occurred_at)`,
  `create index ha_change_failover on platform.ha_change (id) where ${isFailoverSql}`,
  `create index upgrade_ended on platform.upgrade (updated_at) where status in ('succeeded', 'cancelled')`,
);
