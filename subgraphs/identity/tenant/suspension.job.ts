import type { RowReader } from '#platform/database/database.js';

export interface Suspension {
  id: string;
  isSuspended: boolean;
}

/**
 * All tenants that are suspended, and those that were restored at or after a moment; `em` is one of the jobs role. A
 * suspension has no end after which it could be forgotten, so every read answers all of them.
 */
export async function suspensionsSince(reader: RowReader, since: Date): Promise<Suspension[]> {
  return reader.execute<Suspension[]>(
    `select id, true as "isSuspended" from identity.tenant where suspended_at is not null
     union all
     select id, false from identity.tenant where suspended_at is null and restored_at >= ?`,
    [since.toISOString()],
  );
}
