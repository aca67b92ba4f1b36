import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { ownerPolicySql, tenantTableSql } from '#platform/database/row-level-security.js';
import { outboxTableSql } from '#platform/outbox/outbox.sql.js';

import { signInMigration } from './002-sign-in.js';
import { oauthCodesMigration } from './073-oauth-codes.js';
import { auditMigration } from './074-audit.js';
import { membersMigration } from './075-members.js';
import { mspMigration } from './076-msp.js';
import { apiKeysMigration } from './077-api-keys.js';
import { delegationMigration } from './078-delegation.js';
import { brandingMigration } from './079-branding.js';
import { signInGuardsMigration } from './080-sign-in-guards.js';
import { erasureMigration } from './081-erasure.js';
import { sealedTrailsMigration } from './082-sealed-trails.js';
import { delegatesMigration } from './083-delegates.js';
import { brandingOfPlansMigration } from './084-branding-of-plans.js';
import { brandingVersionsMigration } from './085-branding-versions.js';
import { timelinesMigration } from './086-timelines.js';
import { addressChangesMigration } from './087-address-changes.js';
import { silentSignInMigration } from './088-silent-sign-in.js';
import { tenantSearchMigration } from './089-tenant-search.js';
import { billingMigration } from './090-billing.js';
import { tracesMigration } from './091-traces.js';
import { clientSuspensionsMigration } from './092-client-suspensions.js';
import { sessionReadsMigration } from './093-session-reads.js';
import { endedAccessMigration } from './094-ended-access.js';
import { clientHealthMigration } from './095-client-health.js';
import { accessRequestsMigration } from './096-access-requests.js';
import { grantVersionsMigration } from './097-grant-versions.js';
import { auditRequestsMigration } from './098-audit-requests.js';
import { brandingOfItsOwnMigration } from './099-branding-of-its-own.js';
import { closingMigration } from './100-closing.js';
import { organizationExportsMigration } from './101-organization-exports.js';
import { invitedTenantsMigration } from './102-invited-tenants.js';
import { endedGrantsMigration } from './103-ended-grants.js';
import { endedRequestsMigration } from './104-ended-requests.js';
import { listeningMigration } from './105-listening.js';
import { namedUsersMigration } from './106-named-users.js';
import { namedUsersChangedMigration } from './107-named-users-changed.js';
import { repeatedCallsMigration } from './108-repeated-calls.js';
import { whoDidItMigration } from './109-who-did-it.js';
import { formerActorsMigration } from './110-former-actors.js';
import { auditNamedMigration } from './111-audit-named.js';

/** identity's schema, step by step. Applied steps are never edited. */
export const identityMigrations: readonly AreaMigration[] = [
  migration(
    '001_accounts',
    `create table identity.tenant (
      id text primary key,
      name text not null,
      plan text not null default 'FREE' check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
      plan_version bigint not null default 0,
      created_at timestamptz not null
    )`,
    // The tenant's own row is keyed by its id, so its policy is written out.
    `alter table identity.tenant enable row level security`,
    `alter table identity.tenant force row level security`,
    `create policy app on identity.tenant to identity_app
      using (id = nullif(current_setting('app.tenant_id', true), ''))
      with check (id = nullif(current_setting('app.tenant_id', true), ''))`,
    `create policy jobs on identity.tenant to identity_jobs using (true) with check (true)`,
    ...ownerPolicySql('identity', 'tenant'),
    `grant select, insert, update on identity.tenant to identity_app`,
    `grant select, insert, update, delete on identity.tenant to identity_jobs`,

    `create table identity."user" (
      tenant_id text not null references identity.tenant (id),
      id text not null,
      email text not null,
      name text not null,
      role text not null check (role in ('OWNER', 'ADMIN', 'OPERATOR', 'BILLING', 'VIEWER')),
      password_hash text not null,
      is_administrator boolean not null default false,
      totp_confirmed_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (tenant_id, id)
    )`,
    // E-mail is unique across the panel: a user belongs to one tenant.
    `create unique index user_email on identity."user" (lower(email))`,
    ...tenantTableSql('identity', 'user'),

    `create table identity.session (
      tenant_id text not null,
      id text not null,
      user_id text not null,
      client_address text not null,
      user_agent text,
      created_at timestamptz not null,
      last_used_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      primary key (tenant_id, id),
      foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
    )`,
    `create index session_by_user on identity.session (tenant_id, user_id)`,
    ...tenantTableSql('identity', 'session'),

    `create table identity.refresh_token (
      tenant_id text not null,
      token_hash text not null,
      session_id text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      primary key (tenant_id, token_hash),
      foreign key (tenant_id, session_id) references identity.session (tenant_id, id) on delete cascade
    )`,
    `create unique index refresh_token_hash on identity.refresh_token (token_hash)`,
    `create index refresh_token_session on identity.refresh_token (tenant_id, session_id)`,
    ...tenantTableSql('identity', 'refresh_token'),

    // Of the panel, not of a tenant: the keys that sign user tokens. The private half is sealed with SECRETS_KEY.
    `create table identity.signing_key (
      kid text primary key,
      alg text not null,
      public_jwk jsonb not null,
      sealed_private_key text not null,
      created_at timestamptz not null
    )`,
    `grant select, insert on identity.signing_key to identity_app, identity_jobs`,

    // Of the panel too: the hash of the one-time link that makes the first administrator.
    `create table identity.setup_link (
      token_hash text primary key,
      created_at timestamptz not null,
      used_at timestamptz
    )`,
    `grant select, insert, update, delete on identity.setup_link to identity_jobs`,

    // Lookups before the tenant is known: they take a key that only its holder has and answer with ids.
    `create function identity.find_user_by_email(wanted text) returns table (tenant_id text, id text)
      language sql stable security definer set search_path = pg_catalog as
      $$ select u.tenant_id, u.id from identity."user" u where lower(u.email) = lower(wanted) $$`,
    `create function identity.find_session_by_refresh_token(hash text)
      returns table (tenant_id text, session_id text)
      language sql stable security definer set search_path = pg_catalog as
      $$ select r.tenant_id, r.session_id from identity.refresh_token r where r.token_hash = hash $$`,
    `create function identity.has_administrator() returns boolean
      language sql stable security definer set search_path = pg_catalog as
      $$ select exists (select from identity."user" where is_administrator) $$`,
    // Answers true to exactly one caller: the row lock of the update lets the others see used_at.
    `create function identity.use_setup_link(hash text, at timestamptz) returns boolean
      language sql volatile security definer set search_path = pg_catalog as
      $$ with used as (
           update identity.setup_link set used_at = at where token_hash = hash and used_at is null returning 1
         ) select exists (select from used) $$`,
    ...[
      'find_user_by_email(text)',
      'find_session_by_refresh_token(text)',
      'has_administrator()',
      'use_setup_link(text, timestamptz)',
    ].flatMap((signature) => [
      `revoke execute on function identity.${signature} from public`,
      `grant execute on function identity.${signature} to identity_app, identity_jobs`,
    ]),
    ...outboxTableSql('identity'),
  ),
  signInMigration,
  oauthCodesMigration,
  auditMigration,
  membersMigration,
  mspMigration,
  apiKeysMigration,
  delegationMigration,
  brandingMigration,
  signInGuardsMigration,
  erasureMigration,
  sealedTrailsMigration,
  delegatesMigration,
  brandingOfPlansMigration,
  brandingVersionsMigration,
  timelinesMigration,
  addressChangesMigration,
  silentSignInMigration,
  tenantSearchMigration,
  billingMigration,
  tracesMigration,
  clientSuspensionsMigration,
  sessionReadsMigration,
  endedAccessMigration,
  clientHealthMigration,
  accessRequestsMigration,
  grantVersionsMigration,
  auditRequestsMigration,
  brandingOfItsOwnMigration,
  closingMigration,
  organizationExportsMigration,
  invitedTenantsMigration,
  endedGrantsMigration,
  endedRequestsMigration,
  listeningMigration,
  namedUsersMigration,
  namedUsersChangedMigration,
  repeatedCallsMigration,
  whoDidItMigration,
  formerActorsMigration,
  auditNamedMigration,
];
