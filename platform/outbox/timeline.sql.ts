import { migration, type AreaMigration } from '../database/migrate.js';

/**
 * The timelines of the database: one for each run of a server that wrote to it. A transaction id means something
 * within one of them only. A dump that is restored elsewhere meets lower ids, and a server that takes over after
 * another may give ids out again that the lost one gave to what nobody else has.
 *
 * A run is told by when its server started, which any role may ask; one that is over has no transactions left. Its
 * number is the greatest so far and more, and made from that moment, so that two histories that have parted (a
 * restored dump and what went on elsewhere) do not give the same number to different runs.
 *
 * Nothing is unique here, so that the first writers of a run do not wait for each other: each finds the same number.
 */
export const timelineMigration: AreaMigration = migration(
  '003_timelines',
  `create table platform.timeline (timeline bigint not null, server_started_at timestamptz not null)`,
  `create index timeline_number on platform.timeline (timeline)`,
  `create function platform.current_timeline() returns bigint
    language sql stable security definer set search_path = pg_catalog as $$
      with run as (
        select started_at, microseconds, abs(hashtextextended(microseconds::text, 0) % 1000000) as salt
        from pg_postmaster_start_time() started_at,
          lateral (select (extract(epoch from started_at) * 1000000)::bigint as microseconds) n
      ), latest as (select * from platform.timeline order by timeline desc limit 1)
      select case when latest.server_started_at = run.started_at then latest.timeline
        else greatest(run.microseconds, coalesce(latest.timeline, 0) + 1 + run.salt) end
      from run left join latest on true
    $$`,
  `create function platform.record_timeline() returns bigint
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
      current_one bigint := platform.current_timeline();
    begin
      if not exists (select from platform.timeline t where t.timeline = current_one) then
        insert into platform.timeline values (current_one, pg_postmaster_start_time());
      end if;
      return current_one;
    end $$`,
  `revoke execute on function platform.current_timeline(), platform.record_timeline() from public`,
  `select platform.record_timeline()`,
  `alter table platform.consumer_position
    add column timeline bigint not null default platform.current_timeline()`,
  `create function platform.move_consumer(consumer_name text, source_name text, to_timeline bigint, to_xid text, to_id bigint)
    returns void language sql security definer set search_path = pg_catalog as
    $$ insert into platform.consumer_position as p (consumer, source, timeline, xid, id)
         values (consumer_name, source_name, to_timeline, to_xid::xid8, to_id)
       on conflict (consumer, source) do update
         set timeline = excluded.timeline, xid = excluded.xid, id = excluded.id
         where (p.timeline, p.xid, p.id) < (excluded.timeline, excluded.xid, excluded.id) $$`,
  // The rows themselves are for people with the owner's rights.
  `create function platform.count_parked_events(of_consumer text) returns table (source text, count bigint)
    language sql stable security definer set search_path = pg_catalog as
    $$ select e.source, count(*) from platform.parked_event e where e.consumer = of_consumer group by 1 $$`,
  `revoke execute on function platform.move_consumer(text, text, bigint, text, bigint),
    platform.count_parked_events(text) from public`,
);

/**
 * Begins a timeline in the run of the server that there is: a dump that is restored on the server which it is from, as that
 * goes on, would else pass for what went on there meanwhile. For the owner.
 */
export const anotherTimelineSql = `
  insert into platform.timeline
    select greatest((extract(epoch from clock_timestamp()) * 1000000)::bigint, coalesce(max(timeline), 0) + 1),
      pg_postmaster_start_time()
    from platform.timeline`;

/** Names the timeline in an area's outbox. Follows `outboxTableSql`, and gives the area its rights in the platform. */
export function outboxTimelineSql(area: string): string[] {
  const both = `${area}_app, ${area}_jobs`;
  return [
    `grant usage on schema platform to ${both}`,
    `grant select on platform.timeline to ${both}`,
    `grant execute on function platform.current_timeline(), platform.record_timeline() to ${both}`,
    `grant select on platform.consumer_position to ${area}_jobs`,
    `grant execute on function platform.assert_epoch(text, text, bigint),
      platform.move_consumer(text, text, bigint, text, bigint), platform.forget_parked_events(text),
      platform.count_parked_events(text),
      platform.park_event(text, text, text, text, text, text) to ${area}_jobs`,
    // What is there already is of this run, or of earlier ones on the same data, whose order goes on.
    `alter table ${area}.outbox add column timeline bigint not null default platform.current_timeline()`,
    `alter table ${area}.outbox alter column timeline set default platform.record_timeline()`,
    `alter table ${area}.outbox_removed
      add column timeline bigint not null default platform.current_timeline()`,
    ofAnotherServerSql(area),
    `alter table ${area}.outbox drop constraint outbox_pkey, add primary key (timeline, xid, id)`,
    `drop index ${area}.outbox_tenant`,
    `create index outbox_tenant on ${area}.outbox (tenant_id, timeline, xid, id)`,
  ];
}

/**
 * Transactions that this server has not come to yet tell of a dump that was restored before there were timelines. What
 * it brought, told by the rows' own numbers, goes before everything of this server.
 */
function ofAnotherServerSql(area: string): string {
  return `do $$
    declare
      next_xid xid8 := pg_snapshot_xmax(pg_current_snapshot());
      -- This transaction's own rows, of an earlier step, are visible though it has not ended.
      last_foreign bigint := (
        select max(id) from ${area}.outbox where xid >= next_xid and xid <> pg_current_xact_id());
    begin
      if last_foreign is null and not exists (
        select from platform.consumer_position where source = '${area}' and xid >= next_xid
      ) then return; end if;
      insert into platform.timeline select 0, '-infinity'
        where not exists (select from platform.timeline where timeline = 0);
      update ${area}.outbox set timeline = 0 where id <= last_foreign;
      update ${area}.outbox_removed set timeline = 0;
      update platform.consumer_position set timeline = 0 where source = '${area}';
    end $$`;
}
