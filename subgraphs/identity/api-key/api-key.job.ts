import type { RowReader } from '#platform/database/database.js';

/** The keys of all tenants that were revoked at or after a moment; `em` is one of the jobs role. */
export async function revokedApiKeysSince(reader: RowReader, since: Date): Promise<{ id: string }[]> {
  return reader.execute<{ id: string }[]>('select id from identity.api_key where revoked_at >= ?', [
    since.toISOString(),
  ]);
}
