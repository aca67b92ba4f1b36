import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { definerSql } from './definer.sql.js';

/** Who of a provider acts in a client: their name, for the client's nodes, and only while a grant is in force. */
export const delegatesMigration: AreaMigration = migration(
  '083_delegates',
  ...definerSql(
    `find_delegate(client text, wanted text, at timestamptz) returns table (id text, email text, name text)`,
    'stable',
    `select u.id, u.email, u.name from identity."user" u
     where u.id = wanted and exists (
       select from identity.delegation d
       where d.tenant_id = client and d.provider_id = u.tenant_id and d.revoked_at is null and d.expires_at > at)`,
  ),
);
