import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { entitlementTableSql } from '#platform/entitlement/entitlement.sql.js';

import { definerSql } from './definer.sql.js';

const granted = JSON.stringify({
  FREE: { features: ['fleet-management'], limits: { instances: 5, users: 3, storageGb: 10 } },
  PRO: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support'],
    limits: { instances: 25, users: 50, storageGb: 500 },
  },
  ENTERPRISE: {
    features: ['fleet-management', 'ha-clustering', 'governance', 'priority-support', 'msp', 'white-label'],
    limits: { instances: null, users: null, storageGb: null },
  },
});

/** Invitations, and what tells how many users fit. */
export const membersMigration: AreaMigration = migration(
  '075_members',
  ...entitlementTableSql('identity'),
  // Plans that were granted before there was this projection.
  `insert into identity.entitlement (tenant_id, version, plan, features, limits)
   select t.id, t.plan_version, t.plan, array(select jsonb_array_elements_text(g.value -> 'features')), g.value -> 'limits'
   from identity.tenant t join jsonb_each('${granted}'::jsonb) g on g.key = t.plan where t.plan_version > 0`,

  `create table identity.invitation (
    tenant_id text not null references identity.tenant (id),
    id text not null,
    email text not null,
    role text not null check (role in ('OWNER', 'ADMIN', 'OPERATOR', 'BILLING', 'VIEWER')),
    token_hash text not null,
    invited_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id)
  )`,
  `create unique index invitation_token_hash on identity.invitation (token_hash)`,
  // One open invitation per address: inviting again renews it.
  `create unique index invitation_open on identity.invitation (tenant_id, lower(email))
    where accepted_at is null and revoked_at is null`,
  `create index invitation_expires on identity.invitation (expires_at)`,
  ...tenantTableSql('identity', 'invitation'),
  ...definerSql(
    'find_invitation(hash text) returns table (tenant_id text, id text)',
    'stable',
    'select i.tenant_id, i.id from identity.invitation i where i.token_hash = hash',
  ),

  // Sessions go with their user, while access tokens of theirs live on for some minutes: processes that start meanwhile
  // have to know of them.
  `create table identity.removed_session (
    tenant_id text not null,
    id text not null,
    removed_at timestamptz not null,
    primary key (tenant_id, id)
  )`,
  `create index removed_session_at on identity.removed_session (removed_at)`,
  ...tenantTableSql('identity', 'removed_session', { app: ['select', 'insert'] }),
  `create index user_owners on identity."user" (tenant_id) where role = 'OWNER'`,
);
