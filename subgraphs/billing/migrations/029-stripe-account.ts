import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Whose customers, subscriptions and invoices are kept: those of another account of Stripe are strangers to it. */
export const stripeAccountMigration: AreaMigration = migration(
  '029_stripe_account',
  `create table billing.stripe_account (
    id boolean primary key default true check (id),
    -- Null where the key may not read it.
    account_id text,
    is_live boolean not null,
    known_at timestamptz not null
  )`,
  `grant select, insert, update on billing.stripe_account to billing_jobs`,
);
