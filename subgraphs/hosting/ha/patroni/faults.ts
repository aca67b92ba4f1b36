import type { HaReason } from '../ha.js';
import type { PatroniView } from './patroni.js';

/** Which servers the database should have. */
export interface Expected {
  /** Their number by PATRONI_URLS. */
  size: number;
  /** Those that were seen of late: Patroni itself forgets a member that is gone within its ttl. */
  names: readonly string[];
}

/** What is wrong with a cluster as Patroni sees it. */
export function faultsOfView(view: PatroniView, expected: Expected): HaReason[] {
  const { members, isSynchronous, isPaused, problem } = view;
  const reasons: HaReason[] = [];
  if (problem !== undefined) reasons.push({ code: 'PATRONI_AWAY', message: problem });
  else if (!members.some(({ isLeader }) => isLeader))
    reasons.push({ code: 'NO_DATABASE_LEADER', message: 'Patroni names no leader just now' });
  // While Patroni is away nobody knows who is there.
  if (problem === undefined) reasons.push(...missing(view, expected));
  for (const { name, state, isHealthy } of members) if (!isHealthy) reasons.push(unhealthy(name, state));
  if (isPaused)
    reasons.push({
      code: 'FAILOVER_PAUSED',
      message: 'Patroni is paused: no other server leads by itself when the leader is gone',
    });
  if (isSynchronous === false)
    reasons.push({
      code: 'NOT_SYNCHRONOUS',
      message: "Patroni's synchronous_mode is off: a failover may lose what was acknowledged last",
    });
  return reasons;
}

/** What is worth knowing where nothing can be measured, as sentences. */
export function warningsOfView(view: PatroniView, size: number): string[] {
  const { members, isSynchronous, problem } = view;
  const faults = faultsOfView(view, { size, names: [] });
  const hasStandby = members.some((member) => member.isSynchronous);
  if (problem === undefined && isSynchronous && !hasStandby) faults.push(noSynchronousStandby);
  const codes = ['MEMBER_MISSING', 'FAILOVER_PAUSED', 'NOT_SYNCHRONOUS', 'NO_SYNCHRONOUS_STANDBY'];
  return faults.filter(({ code }) => codes.includes(code)).map(({ message }) => message);
}

function missing({ members }: PatroniView, { size, names }: Expected): HaReason[] {
  const there = new Set(members.map(({ name }) => name));
  const gone = names.filter((name) => !there.has(name));
  const expected = Math.max(size, there.size + gone.length);
  if (there.size === expected) return [];
  const who = gone.length > 0 ? `: ${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} gone` : '';
  return [
    { code: 'MEMBER_MISSING', message: `The database has ${there.size} of its ${expected} servers${who}` },
  ];
}

export const noSynchronousStandby: HaReason = {
  code: 'NO_SYNCHRONOUS_STANDBY',
  message:
    "Patroni's synchronous_mode is on, and there is no standby that commits could wait for: a failover may lose what " +
    'was acknowledged last',
};

export function unhealthy(name: string, state: string): HaReason {
  return { code: 'MEMBER_UNHEALTHY', message: `The database's server ${name} is ${state}` };
}
