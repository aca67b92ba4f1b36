import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { endedGrantTableSql } from '#platform/grant/grants.js';

const grantSql = (table: string): string[] => [
  `alter table hosting.${table} add column grant_id text, add column grant_ends_at timestamptz`,
  `create index ${table}_grant on hosting.${table} (tenant_id, grant_id) where grant_id is not null`,
  `create index ${table}_grant_ends_at on hosting.${table} (grant_ends_at) where grant_ends_at is not null`,
];

/** What a provider's user gave a credential for under a grant ends with it: the credential is forgotten. */
export const grantsMigration: AreaMigration = migration(
  '057_grants',
  ...grantSql('cluster'),
  ...grantSql('provider_account'),
  `alter table hosting.provider_account alter column sealed_token drop not null`,
  ...endedGrantTableSql('hosting'),
);
