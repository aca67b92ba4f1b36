import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { definerSql } from './definer.sql.js';

/** The OAuth provider: nodes as clients, authorization codes, and what was issued for them. */
export const oauthCodesMigration: AreaMigration = migration(
  '073_oauth_codes',
  // A projection of fleet's instances, fed by its events.
  `create table identity.oauth_client (
    tenant_id text not null,
    instance_id text not null,
    name text not null,
    hostname text not null,
    base_url text not null,
    redirect_uris jsonb not null,
    registered_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, instance_id)
  )`,
  `create unique index oauth_client_instance on identity.oauth_client (instance_id)`,
  ...tenantTableSql('identity', 'oauth_client', { app: ['select'] }),

  `create table identity.oauth_codes (
    tenant_id text not null,
    code_hash text not null,
    consent_hash text not null,
    instance_id text not null,
    user_id text not null,
    session_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    nonce text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    consumed_at timestamptz,
    replayed_at timestamptz,
    primary key (tenant_id, code_hash),
    unique (tenant_id, consent_hash),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  `create unique index oauth_codes_hash on identity.oauth_codes (code_hash)`,
  `create index oauth_codes_expires on identity.oauth_codes (expires_at)`,
  ...tenantTableSql('identity', 'oauth_codes'),

  `create table identity.oauth_issued (
    tenant_id text not null,
    jti text not null,
    kind text not null check (kind in ('ACCESS_TOKEN', 'ID_TOKEN')),
    code_hash text not null,
    instance_id text not null,
    user_id text not null,
    session_id text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, jti),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  `create index oauth_issued_code on identity.oauth_issued (tenant_id, code_hash)`,
  `create index oauth_issued_expires on identity.oauth_issued (expires_at)`,
  ...tenantTableSql('identity', 'oauth_issued'),

  ...definerSql(
    'find_oauth_client(wanted text) returns table (tenant_id text, id text)',
    'stable',
    'select c.tenant_id, c.instance_id from identity.oauth_client c where c.instance_id = wanted',
  ),
  ...definerSql(
    'find_oauth_code(hash text) returns table (tenant_id text, id text)',
    'stable',
    'select c.tenant_id, c.code_hash from identity.oauth_codes c where c.code_hash = hash',
  ),
);
