import type { RowReader } from '#platform/database/database.js';

import { tokensLastMs } from './session-times.js';

export interface RevokedSession {
  sessionId: string;
  revokedAt: Date;
}

/**
 * The sessions of all tenants that were ended at or after a moment while they may have had tokens, oldest first; `em` is
 * one of the jobs role. The stamp is taken before the commit, so a reader that asks again and again lets its windows
 * overlap by some seconds.
 */
export async function revokedSessionsSince(reader: RowReader, since: Date): Promise<RevokedSession[]> {
  const rows = await reader.execute<{ id: string; revoked_at: Date | string }[]>(
    `select id, revoked_at from identity.session
     where revoked_at >= ? and last_used_at > revoked_at - interval '${tokensLastMs} milliseconds' order by revoked_at`,
    [since.toISOString()],
  );
  return rows.map((row) => ({ sessionId: row.id, revokedAt: new Date(row.revoked_at) }));
}
