import type { RowReader } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** Sessions of removed users, of all tenants, that ended at or after a moment; `em` is one of the jobs role. */
export async function removedSessionsSince(reader: RowReader, since: Date): Promise<{ id: string }[]> {
  return reader.execute<{ id: string }[]>('select id from identity.removed_session where removed_at >= ?', [
    since.toISOString(),
  ]);
}

/** Forgets sessions whose last access token has long ended, and invitations that ended a month ago. */
export const memberCleanupSweep: Sweep = {
  name: 'member.forget',
  everyMs: hour,
  async run({ em, now }) {
    const before = (ms: number) => new Date(now.getTime() - ms).toISOString();
    await em.execute('delete from identity.removed_session where removed_at < ?', [before(day)]);
    await em.execute('delete from identity.invitation where expires_at < ?', [before(30 * day)]);
    return 'done';
  },
};
