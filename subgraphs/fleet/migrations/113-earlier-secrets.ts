import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** A webhook whose secret was changed twice in a short time goes on signing by the one that its receiver has. */
export const earlierSecretsMigration: AreaMigration = migration(
  '113_earlier_secrets',
  `alter table fleet.notification_channel
     add column sealed_earlier_secret text, add column earlier_secret_until timestamptz`,
);
