import { migration, type AreaMigration } from '../database/migrate.js';

const columns =
  'consumer text, source text, event_id text, topic text, tenant_id text, problem text, parked_at timestamptz';

/**
 * What was set aside can be taken in once more when what was wrong is mended: the event itself is kept with it, as outboxes
 * forget theirs after a day. Those from before have none, and can only be forgotten.
 */
export const parkedEventsMigration: AreaMigration = migration(
  '012_parked_events',
  // As the outbox has it; and when somebody asked for another try.
  `alter table platform.parked_event add column event jsonb, add column retry_at timestamptz`,
  `create index parked_event_retry on platform.parked_event (consumer, retry_at) where retry_at is not null`,
  `create function platform.park_event(consumer text, source text, event_id text, topic text, tenant text, problem text,
      event jsonb) returns void
    language sql security definer set search_path = pg_catalog as
    $$ insert into platform.parked_event (consumer, source, event_id, topic, tenant_id, problem, event)
       values (consumer, source, event_id, topic, tenant, problem, event) on conflict do nothing $$`,
  // For the operator.
  `create function platform.parked_events() returns table (${columns}, can_retry boolean, is_asked boolean)
    language sql stable security definer set search_path = pg_catalog as
    $$ select p.consumer, p.source, p.event_id, p.topic, p.tenant_id, p.problem, p.parked_at, p.event is not null,
         p.retry_at is not null
       from platform.parked_event p order by p.parked_at, p.event_id, p.consumer limit 1000 $$`,
  // All of them where it is empty.
  `create function platform.retry_parked_events(of_event text) returns bigint
    language sql security definer set search_path = pg_catalog as
    $$ with asked as (update platform.parked_event p set retry_at = clock_timestamp()
         where p.event is not null and of_event in ('', p.event_id) returning 1)
       select count(*) from asked $$`,
  `create function platform.forget_parked_event(of_event text) returns bigint
    language sql security definer set search_path = pg_catalog as
    $$ with gone as (delete from platform.parked_event p where p.event_id = of_event returning 1)
       select count(*) from gone $$`,
  // For the area that takes it in.
  `create function platform.due_parked_event(of_consumer text) returns table (source text, event jsonb)
    language sql stable security definer set search_path = pg_catalog as
    $$ select p.source, p.event from platform.parked_event p
       where p.consumer = of_consumer and p.retry_at is not null order by p.retry_at, p.event_id limit 1 $$`,
  `create function platform.unpark_event(of_consumer text, of_source text, of_event text) returns void
    language sql security definer set search_path = pg_catalog as
    $$ delete from platform.parked_event p
       where p.consumer = of_consumer and p.source = of_source and p.event_id = of_event $$`,
  `create function platform.park_event_again(of_consumer text, of_source text, of_event text, again text) returns void
    language sql security definer set search_path = pg_catalog as
    $$ update platform.parked_event p set retry_at = null, problem = again, parked_at = now()
       where p.consumer = of_consumer and p.source = of_source and p.event_id = of_event $$`,
  `revoke execute on function platform.park_event(text, text, text, text, text, text, jsonb), platform.parked_events(),
    platform.retry_parked_events(text), platform.forget_parked_event(text), platform.due_parked_event(text),
    platform.unpark_event(text, text, text), platform.park_event_again(text, text, text, text) from public`,
  `grant execute on function platform.parked_events(), platform.retry_parked_events(text),
    platform.forget_parked_event(text) to platform_app`,
  // The areas that were there when this step was written.
  ...['identity', 'fleet', 'billing', 'governance', 'hosting'].flatMap(parkedEventsSql),
);

/** Gives an area its rights to it. Follows `outboxTimelineSql`. */
export function parkedEventsSql(area: string): string[] {
  return [
    `grant execute on function platform.park_event(text, text, text, text, text, text, jsonb),
      platform.due_parked_event(text), platform.unpark_event(text, text, text),
      platform.park_event_again(text, text, text, text) to ${area}_jobs`,
  ];
}
