import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

/** A new address is mailed a link before it takes effect; a page can ask whether its link still works. */
export const addressChangesMigration: AreaMigration = migration(
  '087_address_changes',
  `alter table identity.mail_token
    drop constraint mail_token_purpose_check,
    add constraint mail_token_purpose_check
      check (purpose in ('PASSWORD_RESET', 'EMAIL_VERIFICATION', 'EMAIL_CHANGE'))`,
  // By whoever has the link; it is not used up. A link that nobody needs any more has ended as well.
  ...definerSql(
    'setup_link_state(hash text, at timestamptz) returns text',
    'stable',
    `select case
       when s.used_at is not null then 'USED'
       when s.created_at <= at - interval '24 hours' or identity.has_administrator() then 'EXPIRED'
       else 'OPEN' end
     from identity.setup_link s where s.token_hash = hash`,
  ),
);
