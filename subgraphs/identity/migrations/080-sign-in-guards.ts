import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

/** Pauses that hit whoever guesses and nobody else; a set-up link that ends. */
export const signInGuardsMigration: AreaMigration = migration(
  '080_sign_in_guards',
  // Where a session was opened from, as attempts are counted: an IPv4 address, or the /64 of an IPv6 one.
  `alter table identity.session add column network text`,

  // By the database's own lower(), which is what finds the account: two ideas of it would give one account two counts.
  `create function identity.attempt_key(kind text, subject text) returns text
    language sql stable set search_path = pg_catalog as
    $$ select translate(rtrim(encode(sha256(convert_to(kind || ':' || lower(subject), 'UTF8')), 'base64'), '='),
      '+/', '-_') $$`,
  // One failure is forgotten for every 15 minutes since the last one, and all of them after 12 hours.
  `create function identity.failures_left(failures integer, last_failed_at timestamptz, at timestamptz) returns integer
    language sql immutable set search_path = pg_catalog as
    $$ select case when last_failed_at is null then failures when last_failed_at < at - interval '12 hours' then 0
      else greatest(0, failures - greatest(0, floor(extract(epoch from at - last_failed_at) / 900)::integer)) end $$`,
  `create or replace function identity.admit_attempt(wanted text, at timestamptz, free integer, parallel integer)
    returns timestamptz language plpgsql volatile security definer set search_path = pg_catalog as $$
    declare found_row identity.attempt;
    begin
      insert into identity.attempt (key, last_attempt_at) values (wanted, at) on conflict do nothing;
      select * into found_row from identity.attempt where key = wanted for update;
      if found_row.pending_until is null or found_row.pending_until <= at then found_row.pending := 0; end if;
      if found_row.blocked_until > at then return found_row.blocked_until; end if;
      if found_row.pending >= parallel then return at + interval '1 second'; end if;
      update identity.attempt set
        pending = found_row.pending + 1,
        pending_until = at + interval '30 seconds',
        blocked_until = identity.pause_after(
          identity.failures_left(found_row.failures, found_row.last_failed_at, at), at, free),
        last_attempt_at = at
      where key = wanted;
      return null;
    end $$`,
  // A success takes back the pause that its own admission began, unless another attempt has failed since.
  `create or replace function identity.settle_attempt(wanted text, at timestamptz, free integer, outcome text)
    returns void language plpgsql volatile security definer set search_path = pg_catalog as $$
    begin
      update identity.attempt set
        pending = greatest(pending - 1, 0),
        last_failed_at = case outcome when 'FAILED' then at else last_failed_at end,
        failures = case outcome
          when 'FAILED' then identity.failures_left(failures, last_failed_at, at) + 1
          when 'FORGIVEN' then 0 else failures end,
        blocked_until = case
          when outcome = 'FAILED' then greatest(blocked_until,
            identity.pause_after(identity.failures_left(failures, last_failed_at, at) + 1, at, free))
          when outcome = 'FORGIVEN' then null
          when outcome = 'PASSED' and coalesce(last_failed_at < last_attempt_at, true) then null
          else blocked_until end
      where key = wanted;
    end $$`,

  // One link, for a panel without an administrator, on the day that it was printed. The lock is that of the panel's own
  // start: of two who make the first administrator the second sees the first.
  `drop function identity.use_setup_link(text, timestamptz)`,
  ...definerSql(
    'use_setup_link(hash text, at timestamptz) returns boolean',
    'volatile',
    `begin
      perform pg_advisory_xact_lock(hashtext('identity first administrator'));
      if identity.has_administrator() then return false; end if;
      update identity.setup_link set used_at = at
        where token_hash = hash and used_at is null and created_at > at - interval '24 hours';
      return found;
    end`,
  ),
);
