import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

/** Tenants that are nobody's clients are closed, taken back for 30 days, and erased then. */
export const closingMigration: AreaMigration = migration(
  '100_closing',
  `alter table identity.tenant
    add column erase_at timestamptz,
    -- Whether the panel's administrators have suspended it beside its closing: taking that back leaves it suspended.
    add column stays_suspended boolean not null default false,
    -- Set once its erasure has begun, from when on nothing takes it back.
    add column erasure_id text`,
  `create index tenant_erase on identity.tenant (erase_at) where erase_at is not null and erasure_id is null`,
  `alter table identity.mail_token
    drop constraint mail_token_purpose_check,
    add constraint mail_token_purpose_check
      check (purpose in ('PASSWORD_RESET', 'EMAIL_VERIFICATION', 'EMAIL_CHANGE', 'ORGANIZATION_RESTORE'))`,

  ...definerSql(
    `list_tenants_and_closings(administrator text, words text, exact text, email_like text, wanted_plan text,
       suspended boolean, after text, at_most integer)
     returns table (id text, name text, plan text, suspended_at timestamptz, created_at timestamptz, provider_id text,
       owners jsonb, suspended_by text[], erase_at timestamptz)`,
    'stable',
    `select l.id, l.name, l.plan, l.suspended_at, l.created_at, l.provider_id, l.owners,
       case when t.erase_at is not null and not t.stays_suspended then array_remove(l.suspended_by, 'PANEL')
         else l.suspended_by end,
       coalesce(t.erase_at, c.erase_at)
     from identity.list_tenants_and_suspenders(administrator, words, exact, email_like, wanted_plan, suspended, after,
       at_most) l
     join identity.tenant t on t.id = l.id left join identity.msp_client c on c.id = l.id order by l.id`,
  ),
);
