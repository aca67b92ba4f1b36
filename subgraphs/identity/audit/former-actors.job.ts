import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const day = 24 * 60 * 60 * 1000;
/** As long as whoever looks into what was done before somebody left is told their name (GDPR, article 12: a month). */
export const keepNamesMs = 30 * day;
/** By then nobody adds an entry any more who had found them there. */
const settledMs = 60_000;
const entriesAtOnce = 1_000;
const whomAtOnce = 100;

interface Former {
  tenantId: string;
  /** Empty for all of the tenant. */
  userId: string;
  email: string | null;
}

/**
 * Takes the names and addresses of those who are there no more from all trails: of a user 30 days after the account's end,
 * of an erased tenant's people and of the tenant itself at once. Ids stay, and the chain holds, as no hash covers names. What
 * was done has no name any more, so whoever dies in between is followed by one who goes on.
 */
export const formerActorsSweep: Sweep = {
  name: 'audit.forget-former',
  everyMs: 60_000,
  due: 'select from identity.former_actor where forget_at <= ?',
  async run({ em, now }) {
    const later = (ms: number) => new Date(now.getTime() + ms).toISOString();
    const noted = await em.execute<unknown[]>(
      `update identity.former_actor set forget_at = case user_id when '' then ?::timestamptz else ?::timestamptz end
       where ctid = any(array(
         select ctid from identity.former_actor where forget_at = '-infinity' limit ${entriesAtOnce}
       )) returning 1`,
      [later(settledMs), later(keepNamesMs)],
    );
    const due = await em.execute<Former[]>(
      `select former_tenant_id as "tenantId", user_id as "userId", email from identity.former_actor
       where forget_at <= ? order by forget_at limit ${whomAtOnce}`,
      [now.toISOString()],
    );
    let left = entriesAtOnce;
    for (const former of due) {
      left -= await forget(em, former, left);
      if (left <= 0) return 'more';
      await em.execute('delete from identity.former_actor where former_tenant_id = ? and user_id = ?', [
        former.tenantId,
        former.userId,
      ]);
      // With their tenant all of them are forgotten at once.
      if (former.userId === '')
        await em.execute('update identity.former_actor set forget_at = ? where former_tenant_id = ?', [
          now.toISOString(),
          former.tenantId,
        ]);
    }
    return due.length > 0 || noted.length === entriesAtOnce ? 'more' : 'done';
  },
};

/** How many entries had named them, of at most so many. */
async function forget(em: SqlEntityManager, former: Former, atMost: number): Promise<number> {
  const { tenantId, userId, email } = former;
  const through = async (door: string, ...named: string[]) => {
    const places = [...named, atMost].map(() => '?').join(', ');
    const [row] = await em.execute<{ count: number }[]>(`select identity.${door}(${places}) as count`, [
      ...named,
      atMost,
    ]);
    return row!.count;
  };
  if (userId === '') return through('forget_actors_of', tenantId);
  const acted = await through('forget_actor', tenantId, userId);
  if (acted === atMost || email === null) return acted;
  return acted + (await through('forget_address', tenantId, email));
}
