import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { definerSql } from './definer.sql.js';

/** API keys; only the SHA-256 of the secret is kept. */
export const apiKeysMigration: AreaMigration = migration(
  '077_api_keys',
  `create table identity.api_key (
    tenant_id text not null,
    id text not null,
    name text not null,
    prefix text not null,
    secret_hash text not null,
    permissions text[] not null,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index api_key_secret_hash on identity.api_key (secret_hash)`,
  `create index api_key_revoked on identity.api_key (revoked_at) where revoked_at is not null`,
  ...tenantTableSql('identity', 'api_key'),
  ...definerSql(
    'find_api_key(hash text) returns table (tenant_id text, id text)',
    'stable',
    'select k.tenant_id, k.id from identity.api_key k where k.secret_hash = hash',
  ),
);
