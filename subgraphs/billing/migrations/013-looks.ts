import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** What tells a look at Stripe that saw nothing new from one that did, and who is to look. */
export const looksMigration: AreaMigration = migration(
  '013_looks',
  // The digest of what was applied last; null before the first.
  `alter table billing.subscription add column seen text`,
  // A process that took the webhook, or the queue of jobs.
  `alter table billing.sync_request add column looker text not null default 'JOB' check (looker in ('JOB', 'PROCESS'))`,
  `create index sync_request_in_process on billing.sync_request (wanted_at) where looker = 'PROCESS'`,
);
