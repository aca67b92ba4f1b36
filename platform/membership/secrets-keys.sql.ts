import { migration, type AreaMigration } from '../database/migrate.js';
import { isThereSql } from './processes.sql.js';

/** Which keys of SECRETS_KEY a process holds, by their ids. Null of a version that did not tell. */
export const secretsKeysMigration: AreaMigration = migration(
  '011_secrets_keys',
  'alter table platform.process add column secrets_keys text[]',
);

/** In SQL: the names of the processes that are there and do not hold the key of this parameter. Reads rows from before they told, too. */
export const processesWithoutKeySql = (key: string) => `select p.node_name as name from platform.process p
  where ${isThereSql('p')} and not (jsonb_typeof(to_jsonb(p) -> 'secrets_keys') is distinct from 'array'
    or to_jsonb(p) -> 'secrets_keys' @> to_jsonb(${key}::text))
  order by 1`;
