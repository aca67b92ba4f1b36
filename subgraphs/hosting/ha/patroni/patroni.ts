/** A member of a Patroni cluster, as its REST interface tells of it. */
export interface PatroniMember {
  name: string;
  isLeader: boolean;
  isSynchronous: boolean;
  state: string;
  timeline: number | null;
  /** Behind the leader; null when Patroni does not know. */
  lagBytes: number | null;
  /** Whether it runs, as the leader or streaming from it. */
  isHealthy: boolean;
  /** Its tag `nofailover`. */
  isExcluded: boolean;
}

/** A cluster at one moment. */
export interface PatroniView {
  members: readonly PatroniMember[];
  /** Whether `synchronous_mode` is on; commits wait all the same only while a standby is there that they can wait for. */
  isSynchronous: boolean | null;
  /** Whether nobody is made to lead by itself: `patronictl pause`. */
  isPaused: boolean;
  /** How many bytes a candidate may be behind: `maximum_lag_on_failover`. */
  mostLagBytes: number;
  lastFailover: Date | null;
  /** Why nothing is known; `members` are then those known last. */
  problem?: string;
}

/** Patroni's answers, as far as they count here. */
export interface ClusterAnswer {
  pause?: boolean;
  members?: {
    name: string;
    role: string;
    state: string;
    timeline?: number;
    lag?: number | string;
    tags?: Record<string, unknown>;
  }[];
}
export interface ConfigAnswer {
  synchronous_mode?: boolean | string;
  maximum_lag_on_failover?: number;
}
/** Rows of timeline, position, reason and, of later versions, time and new leader. */
export type HistoryAnswer = [number, number, string, string?, string?][];

const leaders = new Set(['leader', 'master', 'primary', 'standby_leader']);
const synchronous = new Set(['sync_standby', 'quorum_standby']);
const healthy = new Set(['running', 'streaming', 'in archive recovery']);
/** Patroni's own default. */
const defaultMostLagBytes = 1_048_576;

export function viewOf(cluster: ClusterAnswer, config: ConfigAnswer, history: HistoryAnswer): PatroniView {
  const last = history.at(-1)?.[3];
  const { synchronous_mode: mode = false, maximum_lag_on_failover: most } = config;
  return {
    members: (cluster.members ?? []).map(({ name, role, state, timeline, lag, tags }) => ({
      name,
      isLeader: leaders.has(role),
      isSynchronous: synchronous.has(role),
      state,
      timeline: timeline ?? null,
      lagBytes: typeof lag === 'number' ? lag : null,
      isHealthy: healthy.has(state),
      isExcluded: tags?.['nofailover'] === true || tags?.['nofailover'] === 'true',
    })),
    isSynchronous: mode === true || mode === 'on' || mode === 'quorum' || mode === 'true',
    isPaused: cluster.pause === true,
    mostLagBytes: most ?? defaultMostLagBytes,
    lastFailover: last === undefined ? null : new Date(last),
  };
}
