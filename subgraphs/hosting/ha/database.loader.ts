import type { SqlEntityManager } from '#platform/database/database.js';

import { HaRole, type HaDatabase, type HaDatabaseMember, type HaReason } from './ha.js';
import { faultsOfView, noSynchronousStandby, unhealthy, type Expected } from './patroni/faults.js';
import type { PatroniView } from './patroni/patroni.js';

/** What the primary says of who streams from it. */
export interface Streaming {
  timeline: number | null;
  isSynchronous: boolean;
  standbys: Standby[];
}

interface Standby {
  name: string;
  /** Null when the panel's owner may not see it. */
  state: string | null;
  syncState: string | null;
  lagMs: number | null;
  lagBytes: number | null;
}

export async function measureStreaming(em: SqlEntityManager): Promise<Streaming> {
  const [row] = await em.execute<{ timeline: string | null; names: string; standbys: Standby[] }[]>(
    `select platform.timeline_of_server()::text as timeline, current_setting('synchronous_standby_names') as names,
       coalesce((select json_agg(json_build_object('name', r.name, 'state', r.state, 'syncState', r.sync_state,
         'lagMs', r.lag_ms, 'lagBytes', r.lag_bytes) order by r.name) from platform.replication() r), '[]') as standbys`,
  );
  return {
    timeline: row?.timeline == null ? null : Number(row.timeline),
    isSynchronous: (row?.names ?? '') !== '',
    standbys: row?.standbys ?? [],
  };
}

/** The database as it is shown, and what is wrong with it. Without Patroni `patroni` is undefined. */
export function databaseOf(
  streaming: Streaming,
  patroni: { view: PatroniView; expected: Expected } | undefined,
): { database: HaDatabase; reasons: HaReason[] } {
  return patroni ? withPatroni(streaming, patroni.view, patroni.expected) : withoutPatroni(streaming);
}

function withoutPatroni({ timeline, isSynchronous, standbys }: Streaming) {
  const isStreaming = standbys.length > 0;
  const reasons: HaReason[] = [];
  if (standbys.some(({ state }) => state === null)) reasons.push(hidden);
  for (const { name, state } of standbys)
    if (state !== null && state !== 'streaming') reasons.push(unhealthy(name, state));
  const members = standbys.map(({ name, state, syncState, lagMs, lagBytes }): HaDatabaseMember => ({
    name,
    role: HaRole.FOLLOWER,
    state: state ?? 'unknown',
    isSynchronous: syncState === 'sync' || syncState === 'quorum',
    lagMs,
    lagBytes,
  }));
  const database: HaDatabase = {
    kind: isStreaming ? 'streaming' : 'standalone',
    leader: null,
    timeline,
    isSynchronous: isStreaming ? isSynchronous : null,
    members,
  };
  return { database, reasons };
}

function withPatroni(streaming: Streaming, patroni: PatroniView, expected: Expected) {
  const { timeline, standbys } = streaming;
  const { members, isSynchronous } = patroni;
  const leader = members.find(({ isLeader }) => isLeader);
  const reasons = faultsOfView(patroni, expected);
  if (isSynchronous && !streaming.isSynchronous) reasons.push(noSynchronousStandby);
  const measured = new Map(standbys.map((standby) => [standby.name, standby]));
  if (standbys.some(({ state }) => state === null)) reasons.push(hidden);
  const database: HaDatabase = {
    kind: 'patroni',
    leader: leader?.name ?? null,
    timeline: newest(leader?.timeline ?? null, timeline),
    // Patroni's mode is a wish: the server itself says whether it waits.
    isSynchronous: isSynchronous && streaming.isSynchronous,
    members: members.map((member) => ({
      name: member.name,
      role: member.isLeader ? HaRole.LEADER : HaRole.FOLLOWER,
      state: member.state,
      isSynchronous: member.isSynchronous,
      lagMs: member.isLeader ? null : (measured.get(member.name)?.lagMs ?? null),
      lagBytes: member.isLeader ? null : member.lagBytes,
    })),
  };
  return { database, reasons };
}

/** Patroni names a new timeline later than its leader; the server that the panel reaches may be the one before. */
function newest(told: number | null, measured: number | null): number | null {
  return told === null || measured === null ? (told ?? measured) : Math.max(told, measured);
}

const hidden: HaReason = {
  code: 'REPLICATION_HIDDEN',
  message: "The database's owner may not see its standbys: grant it pg_monitor",
};
