import { backupsMigration } from './backup/backup.sql.js';
import { migration, type AreaMigration } from './database/migrate.js';
import { appliedStepsMigration } from './database/missing-steps.js';
import { ownerPolicySql } from './database/row-level-security.js';
import { contractsMigration } from './membership/contracts.sql.js';
import { haDatabaseMigration } from './membership/ha-database.sql.js';
import { haHistoryMigration, processesMigration } from './membership/processes.sql.js';
import { secretsKeysMigration } from './membership/secrets-keys.sql.js';
import { parkedEventsMigration } from './outbox/parked.sql.js';
import { settledBeforeMigration } from './outbox/settled.sql.js';
import { timelineMigration } from './outbox/timeline.sql.js';
import { unheardTopicsMigration } from './outbox/unheard.sql.js';

// The areas that were there when these steps were written. Those to come get their rights in a step of their own, from
// outboxTimelineSql: a step that has been applied stays as it is.
const jobs = 'identity_jobs, fleet_jobs';

/** The platform's own schema: membership and how far events were consumed. Nothing here belongs to a tenant. */
export const platformMigrations: readonly AreaMigration[] = [
  migration(
    '001_membership',
    // The right to run singletons. The epoch grows with each change of holder and is checked by every write.
    `create table platform.lease (
        name text primary key,
        holder text not null,
        epoch bigint not null,
        acquired_at timestamptz not null,
        expires_at timestamptz not null
      )`,
    `create table platform.consumer_position (
        consumer text not null,
        source text not null,
        xid xid8 not null,
        id bigint not null,
        primary key (consumer, source)
      )`,
    // Events that a consumer could not take in, set aside so that those behind them go on; kept until someone looks.
    `create table platform.parked_event (
        consumer text not null,
        source text not null,
        event_id text not null,
        topic text not null,
        tenant_id text not null,
        problem text not null,
        parked_at timestamptz not null default now(),
        primary key (consumer, source, event_id)
      )`,
    // Nobody but the function and people with the owner's rights see it.
    `alter table platform.parked_event enable row level security`,
    `alter table platform.parked_event force row level security`,
    ...ownerPolicySql('platform', 'parked_event'),
    `create function platform.park_event(consumer text, source text, event_id text, topic text, tenant text, problem text)
        returns void language sql security definer set search_path = pg_catalog as
        $$ insert into platform.parked_event values (consumer, source, event_id, topic, tenant, problem)
           on conflict do nothing $$`,
    `grant select, insert, update, delete on platform.lease to platform_app`,
    `grant select on platform.consumer_position to platform_app, ${jobs}`,
    // Holding the row's lock to the end of the transaction keeps the lease from changing hands before it commits.
    `create function platform.assert_epoch(lease text, held_by text, held_epoch bigint) returns void
        language plpgsql security definer set search_path = pg_catalog as $$
        begin
          perform from platform.lease l
            where l.name = lease and l.holder = held_by and l.epoch = held_epoch for share;
          if not found then
            raise exception 'the lease % is no longer held with epoch %', lease, held_epoch using errcode = 'PZ001';
          end if;
        end $$`,
    `create function platform.move_consumer(consumer_name text, source_name text, to_xid text, to_id bigint)
        returns void language sql security definer set search_path = pg_catalog as
        $$ insert into platform.consumer_position values (consumer_name, source_name, to_xid::xid8, to_id)
           on conflict (consumer, source) do update set xid = excluded.xid, id = excluded.id
             where (consumer_position.xid, consumer_position.id) < (excluded.xid, excluded.id) $$`,
    ...[
      'assert_epoch(text, text, bigint)',
      'move_consumer(text, text, text, bigint)',
      'park_event(text, text, text, text, text, text)',
    ].flatMap((signature) => [
      `revoke execute on function platform.${signature} from public`,
      `grant execute on function platform.${signature} to ${jobs}`,
      `grant usage on schema platform to ${jobs}`,
    ]),
  ),
  migration(
    '002_forget_parked_events',
    `create function platform.forget_parked_events(tenant text) returns void
        language sql security definer set search_path = pg_catalog as
        $$ delete from platform.parked_event p where p.tenant_id = tenant $$`,
    `revoke execute on function platform.forget_parked_events(text) from public`,
    `grant execute on function platform.forget_parked_events(text) to ${jobs}`,
  ),
  timelineMigration,
  processesMigration,
  haHistoryMigration,
  contractsMigration,
  appliedStepsMigration,
  haDatabaseMigration,
  settledBeforeMigration,
  unheardTopicsMigration,
  secretsKeysMigration,
  parkedEventsMigration,
  backupsMigration,
];
