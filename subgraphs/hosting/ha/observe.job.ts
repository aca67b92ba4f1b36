import type { SqlEntityManager } from '#platform/database/database.js';
import { isForgottenSql } from '#platform/membership/processes.sql.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { panelTenant } from './events.js';
import { HaRole, type HaNode } from './ha.js';
import { readNodes } from './nodes.loader.js';
import type { PatroniWatch } from './patroni/watch.js';

interface Seen {
  fingerprint: string;
  leaderId: string | null;
  leaderNode: string | null;
  databaseLeader: string | null;
  timeline: string | null;
}

/** Sees what has changed of who is there and who leads: keeps it as history, and tells who watches. */
export function observeSweep(patroni: PatroniWatch | undefined): Sweep {
  return {
    name: 'ha.observe',
    everyMs: 2_000,
    due: `select from platform.ha_fingerprint() f (now)
      where f.now is distinct from (select fingerprint from platform.ha_seen)
        or exists (select from platform.process p where ${isForgottenSql('p')})`,
    async run({ em, publish }) {
      const [now] = await em.execute<{ fingerprint: string; timeline: string | null }[]>(
        `select platform.ha_fingerprint() as fingerprint, platform.timeline_of_server()::text as timeline`,
      );
      await em.execute('select platform.forget_processes()');
      const [before] = await em.execute<Seen[]>(
        `select fingerprint, leader_id as "leaderId", leader_node as "leaderNode", database_leader as "databaseLeader",
           timeline::text as timeline from platform.ha_seen`,
      );
      const leader = (await readNodes(em)).find(({ role }) => role === HaRole.LEADER);
      const { fingerprint, timeline } = now!;
      const database = patroni ? databaseSeen(patroni, timeline, before) : { databaseLeader: null, timeline };
      const seen: Seen = {
        fingerprint: database ? fingerprint : lookAgain(fingerprint),
        leaderId: leader?.id ?? null,
        leaderNode: leader?.name ?? null,
        databaseLeader: database ? database.databaseLeader : (before?.databaseLeader ?? null),
        timeline: database ? database.timeline : (before?.timeline ?? null),
      };
      await keep(em, seen);
      if (before) await keepChanges(em, before, seen, leader);
      // It was told at the first look.
      if (seen.fingerprint === before?.fingerprint) return 'done';
      publish({
        topic: 'hosting.ha.changed',
        tenantId: panelTenant,
        entityId: 'ha',
        payload: { leader: seen.leaderNode },
      });
      return 'done';
    },
  };
}

/** A fingerprint that is none: it differs from any that there is, so that the next run looks again. */
const lookAgain = (fingerprint: string) => `${fingerprint} without the database's leader`;

/**
 * Who leads on the server's timeline; undefined while Patroni, as it was looked at last, does not say: it may still name
 * the one before, and history keeps what is written to it.
 */
function databaseSeen(
  patroni: PatroniWatch,
  timeline: string | null,
  before: Seen | undefined,
): Pick<Seen, 'databaseLeader' | 'timeline'> | undefined {
  const leader = patroni.seen?.members.find(({ isLeader }) => isLeader);
  if (leader && timeline !== null && String(leader.timeline) === timeline)
    return { databaseLeader: leader.name, timeline };
  return before && before.timeline === timeline && before.databaseLeader !== null ? before : undefined;
}

async function keep(em: SqlEntityManager, seen: Seen): Promise<void> {
  await em.execute(
    `insert into platform.ha_seen (fingerprint, leader_id, leader_node, database_leader, timeline)
     values (?, ?, ?, ?, ?::bigint)
     on conflict (is_only) do update set fingerprint = excluded.fingerprint, leader_id = excluded.leader_id,
       leader_node = excluded.leader_node, database_leader = excluded.database_leader, timeline = excluded.timeline`,
    [seen.fingerprint, seen.leaderId, seen.leaderNode, seen.databaseLeader, seen.timeline],
  );
}

async function keepChanges(
  em: SqlEntityManager,
  before: Seen,
  seen: Seen,
  leader: HaNode | undefined,
): Promise<void> {
  const insert = async (
    kind: string,
    from: string | null,
    to: string | null,
    epoch: string | number | null,
  ) =>
    em.execute(
      'insert into platform.ha_change (kind, from_name, to_name, epoch) values (?, ?, ?, ?::bigint)',
      [kind, from, to, epoch === null ? null : String(epoch)],
    );
  if (seen.leaderId !== before.leaderId && seen.leaderId !== null)
    // A node that led before and was started anew took over from nobody.
    await insert(
      'panel',
      before.leaderNode === seen.leaderNode ? null : before.leaderNode,
      seen.leaderNode,
      leader?.epoch ?? null,
    );
  // The first sight of a timeline is no change.
  if (before.timeline !== null && seen.timeline !== null && before.timeline !== seen.timeline)
    await insert('database', before.databaseLeader, seen.databaseLeader, seen.timeline);
}
