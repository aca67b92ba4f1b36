import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { panelTenant } from './events.js';
import { rememberedDays } from './members.loader.js';
import type { PatroniView } from './patroni/patroni.js';
import type { PatroniWatch } from './patroni/watch.js';

/** Remembers which servers the database has, and tells who watches when Patroni sees them otherwise than before. */
export function membersSweep(patroni: PatroniWatch): Sweep {
  let told: string | undefined;
  return {
    name: 'ha.members',
    everyMs: 5_000,
    async run({ em, publish }) {
      const view = patroni.seen;
      if (!view) return 'done';
      if (view.problem === undefined && view.members.length > 0) await remember(em, view);
      const now = looksOf(view);
      if (now === told) return 'done';
      told = now;
      publish({
        topic: 'hosting.ha.changed',
        tenantId: panelTenant,
        entityId: 'ha',
        payload: { leader: null },
      });
      return 'done';
    },
  };
}

/** A newcomer is in the place of whoever has been gone for longest: a machine that was replaced is not missed. */
async function remember(em: SqlEntityManager, { members }: PatroniView): Promise<void> {
  const names = JSON.stringify(members.map(({ name }) => name));
  const written = await em.execute<{ isNew: boolean }[]>(
    `insert into platform.database_member as m (name) select jsonb_array_elements_text(?::jsonb)
     on conflict (name) do update set seen_at = now() where m.seen_at < now() - interval '1 hour'
     returning xmax = 0 as "isNew"`,
    [names],
  );
  await em.execute(
    `delete from platform.database_member where not ?::jsonb @> to_jsonb(name) and (name in (
         select name from platform.database_member where not ?::jsonb @> to_jsonb(name) order by seen_at limit ?)
       or seen_at < now() - interval '${rememberedDays} days')`,
    [names, names, written.filter(({ isNew }) => isNew).length],
  );
}

/** All but how far they are behind, which changes all the time. */
function looksOf({ members, isSynchronous, isPaused, problem }: PatroniView): string {
  const each = members.map(({ name, isLeader, state, timeline, isSynchronous: isWaitedFor }) =>
    [name, isLeader, state, timeline, isWaitedFor].join(),
  );
  return JSON.stringify([each.toSorted(), isSynchronous, isPaused, problem]);
}
