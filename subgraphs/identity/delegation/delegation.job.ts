import type { RowReader } from '#platform/database/database.js';

/** The grants of all tenants that were ended at or after a moment; `em` is one of the jobs role. */
export async function endedDelegationsSince(reader: RowReader, since: Date): Promise<{ id: string }[]> {
  return reader.execute<{ id: string }[]>('select id from identity.delegation where revoked_at >= ?', [
    since.toISOString(),
  ]);
}
