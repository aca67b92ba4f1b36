import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { definerSql } from './definer.sql.js';

/** Throttling, mailed tokens, TOTP and the rotation of signing keys. */
export const signInMigration: AreaMigration = migration(
  '002_sign_in',
  `alter table identity."user" add column email_verified_at timestamptz`,

  // What the revocation feed asks for every few seconds.
  `create index session_revoked on identity.session (revoked_at) where revoked_at is not null`,
  // For the sweep of ended ones.
  `create index session_expires on identity.session (expires_at)`,
  `create index refresh_token_expires on identity.refresh_token (expires_at)`,

  // A token that was mailed: a password reset or the proof of an address. Only its SHA-256 is kept.
  `create table identity.mail_token (
    tenant_id text not null,
    token_hash text not null,
    user_id text not null,
    purpose text not null check (purpose in ('PASSWORD_RESET', 'EMAIL_VERIFICATION')),
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  `create unique index mail_token_hash on identity.mail_token (token_hash)`,
  `create index mail_token_user on identity.mail_token (tenant_id, user_id, purpose)`,
  `create index mail_token_expires on identity.mail_token (expires_at)`,
  ...tenantTableSql('identity', 'mail_token'),

  // One secret per user; on from user.totp_confirmed_at. last_used_step grows, so that a step is accepted once.
  `create table identity.totp_secret (
    tenant_id text not null,
    user_id text not null,
    sealed_secret text not null,
    last_used_step bigint not null default 0,
    created_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  ...tenantTableSql('identity', 'totp_secret'),

  `create table identity.recovery_code (
    tenant_id text not null,
    user_id text not null,
    code_hash text not null,
    used_at timestamptz,
    primary key (tenant_id, user_id, code_hash),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  ...tenantTableSql('identity', 'recovery_code'),

  // A password was right and a one-time code is awaited.
  `create table identity.login_challenge (
    tenant_id text not null,
    token_hash text not null,
    user_id text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references identity."user" (tenant_id, id) on delete cascade
  )`,
  `create unique index login_challenge_hash on identity.login_challenge (token_hash)`,
  `create index login_challenge_expires on identity.login_challenge (expires_at)`,
  ...tenantTableSql('identity', 'login_challenge'),

  ...definerSql(
    'find_mail_token(hash text) returns table (tenant_id text, user_id text)',
    'stable',
    'select t.tenant_id, t.user_id from identity.mail_token t where t.token_hash = hash',
  ),
  ...definerSql(
    'find_login_challenge(hash text) returns table (tenant_id text, user_id text)',
    'stable',
    'select c.tenant_id, c.user_id from identity.login_challenge c where c.token_hash = hash',
  ),

  // A key is published when it is made, signs from signs_from on and is forgotten at retires_at.
  `alter table identity.signing_key add column signs_from timestamptz, add column retires_at timestamptz`,
  `update identity.signing_key set signs_from = created_at`,
  `alter table identity.signing_key alter column signs_from set not null`,
  `grant update, delete on identity.signing_key to identity_jobs`,

  // Of the panel, not of a tenant: attempts are counted before it is known whose account it is, or whether there is one.
  // Keys are hashes. Nobody reads the table: the two functions are the only door.
  `create table identity.attempt (
    key text primary key,
    failures integer not null default 0,
    pending integer not null default 0,
    pending_until timestamptz,
    blocked_until timestamptz,
    last_failed_at timestamptz,
    last_attempt_at timestamptz not null
  )`,
  `create index attempt_last on identity.attempt (last_attempt_at)`,
  `grant select, update, delete on identity.attempt to identity_jobs`,
  // Null admits; otherwise the moment from which the next attempt may come. An attempt that is refused here does not
  // prolong the pause. Once a key is throttled, admitting one attempt starts the next pause at once, so that attempts in
  // parallel get no further than attempts in a row.
  ...definerSql(
    `admit_attempt(wanted text, at timestamptz, free integer, parallel integer) returns timestamptz`,
    'volatile',
    `declare found_row identity.attempt;
    begin
      insert into identity.attempt (key, last_attempt_at) values (wanted, at) on conflict do nothing;
      select * into found_row from identity.attempt where key = wanted for update;
      if found_row.last_failed_at < at - interval '12 hours' then found_row.failures := 0; end if;
      if found_row.pending_until is null or found_row.pending_until <= at then found_row.pending := 0; end if;
      if found_row.blocked_until > at then return found_row.blocked_until; end if;
      if found_row.pending >= parallel then return at + interval '1 second'; end if;
      update identity.attempt set
        failures = found_row.failures,
        pending = found_row.pending + 1,
        pending_until = at + interval '30 seconds',
        blocked_until = identity.pause_after(found_row.failures, at, free),
        last_attempt_at = at
      where key = wanted;
      return null;
    end`,
  ),
  ...definerSql(
    'settle_attempt(wanted text, at timestamptz, free integer, outcome text) returns void',
    'volatile',
    `begin
      update identity.attempt set
        pending = greatest(pending - 1, 0),
        last_failed_at = case outcome when 'FAILED' then at else last_failed_at end,
        failures = case outcome when 'FAILED' then failures + 1 when 'FORGIVEN' then 0 else failures end,
        blocked_until = case outcome
          when 'FAILED' then greatest(blocked_until, identity.pause_after(failures + 1, at, free))
          when 'FORGIVEN' then null else blocked_until end
      where key = wanted;
    end`,
  ),
  // 1 s after the last free failure, then 2 s, 4 s ... 15 min; null while failures are free.
  `create function identity.pause_after(failures integer, at timestamptz, free integer) returns timestamptz
    language sql immutable set search_path = pg_catalog as
    $$ select case when failures >= free
      then at + least(interval '1 second' * power(2, least(failures - free, 20)), interval '15 minutes') end $$`,
);
