import { migration, type AreaMigration } from '../database/migrate.js';

/**
 * `platform.settled_before()`: the first transaction that may still write to this database, by the snapshot of the
 * statement that asks. A snapshot has those of all databases of the server in it, and a batch of minutes in another one
 * would hold events up for as long. Which of them are elsewhere the locks tell: a transaction holds the one on its own
 * number as long as it lasts, and one on each table that it wrote to, under one virtual number that no other ever has.
 * One that has just ended, or that has no table yet, is not found there, and counts as one of here.
 *
 * So it may go back by a little from one asking to the next, which the oldest transaction under way never does.
 */
export const settledBeforeMigration: AreaMigration = migration(
  '009_settled_before',
  `create function platform.settled_before() returns xid8
    language sql stable set search_path = pg_catalog as $$
      with held as materialized (
        select virtualtransaction, transactionid, mode, database from pg_locks
        where granted and (transactionid is not null or database <> 0)
      ), elsewhere as (
        select own.transactionid from held own
        where own.mode = 'ExclusiveLock' and exists (
          select from held its where its.virtualtransaction = own.virtualtransaction
            and its.database <> (select oid from pg_database where datname = current_database()))
          and own.transactionid is not null
      )
      select xid from (
        select xid from pg_snapshot_xip(pg_current_snapshot()) xid
          where not exists (select from elsewhere where transactionid = xid::xid)
        union all select pg_snapshot_xmax(pg_current_snapshot())
      ) may_write order by xid limit 1
    $$`,
);
