import { migration, type AreaMigration } from '../database/migrate.js';
import { isGoneSql } from './process-session.js';

/**
 * Which processes are too old for the database. Steps only add to what the version before uses, but for contracts, which
 * take away what it does without: each names the steps that a process has to know to live without that.
 */
export const contractsMigration: AreaMigration = migration(
  '006_contracts',
  // As area/step. Null of a version that did not tell: it is older than any contract.
  `alter table platform.process add column knows text[]`,
  `create table platform.contract (
      area text not null,
      step text not null,
      needs text[] not null,
      applied_at timestamptz not null default now(),
      primary key (area, step)
    )`,
  `grant select on platform.contract to platform_app`,
);

/** In SQL, of a row of `platform.process`: the contracts that its process is too old for as text, else null. */
export const outdatedBySql = (row: string) => `(
  select string_agg(c.area || ' ' || c.step, ', ' order by c.applied_at, c.step) from platform.contract c
  where not (c.needs <@ coalesce(${row}.knows, '{}')))`;

/**
 * In SQL: the name and version of each process that may be at work and does not know all of `$1`, steps as a JSON array.
 * A frozen one is at work again when it wakes. Reads rows from before they said what they know, too.
 */
export const olderProcessesSql = `select p.node_name || ' (' || p.version || ')' as name
  from platform.process p
  where (not ${isGoneSql('p.id')} or p.beat_at > now() - interval '10 seconds')
    and not ($1::jsonb <@ coalesce(to_jsonb(p) -> 'knows', '[]'))
  order by 1`;
