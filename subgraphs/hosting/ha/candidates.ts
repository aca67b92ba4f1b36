import { ApiError } from '#platform/errors.js';

import type { Streaming } from './database.loader.js';
import { HaNodeStatus, HaRole, type HaNode } from './ha.js';
import type { PatroniMember, PatroniView } from './patroni/patroni.js';

/** The process of the panel that is to lead: the one that is wanted, or else the best. */
export function candidate(nodes: readonly HaNode[], wanted: string | undefined): HaNode {
  const leader = nodes.find(({ role }) => role === HaRole.LEADER);
  if (wanted === undefined) {
    const best = nodes
      .filter((node) => node !== leader && node.status === HaNodeStatus.HEALTHY)
      .toSorted((a, b) => b.areas.length - a.areas.length || a.name.localeCompare(b.name))[0];
    if (best) return best;
    throw refused('NO_CANDIDATE', 'There is no other healthy process that could lead');
  }
  const named = nodes.filter(({ id, name }) => id === wanted || name === wanted);
  if (named.length === 0) throw refused('UNKNOWN_CANDIDATE', `There is no process or server ${wanted}`);
  const healthy = named.filter(({ status }) => status === HaNodeStatus.HEALTHY);
  if (healthy.length > 1)
    throw refused(
      'AMBIGUOUS_CANDIDATE',
      `Several processes are named ${wanted}: name the one that is meant by its id`,
    );
  if (healthy[0]) return healthy[0];
  throw refused('CANDIDATE_UNHEALTHY', `${wanted} is ${named[0]!.status.toLowerCase()}`);
}

/** The server of the database that is to lead: the one that is wanted, which is a member, or else the best. */
export function memberToLead(view: PatroniView, wanted: string | undefined): PatroniMember {
  const followers = view.members.filter(({ isLeader }) => !isLeader);
  if (wanted === undefined) {
    const best = followers
      .filter((each) => faultOf(each, view) === undefined)
      .toSorted((a, b) => (a.lagBytes ?? 0) - (b.lagBytes ?? 0) || a.name.localeCompare(b.name))[0];
    if (best) return best;
    throw refused(
      'NO_CANDIDATE',
      'There is no other healthy server of the database that has what the leader has',
    );
  }
  const found = followers.find(({ name }) => name === wanted)!;
  const fault = faultOf(found, view);
  if (fault) throw refused(...fault);
  return found;
}

/** Patroni tells how far a server was behind some seconds ago; who leads knows it as of now. The worse of both counts. */
export function withMeasuredLag(view: PatroniView, { standbys }: Streaming): PatroniView {
  const measured = new Map(standbys.map(({ name, lagBytes }) => [name, lagBytes ?? 0]));
  const members = view.members.map((each) =>
    each.lagBytes === null
      ? each
      : { ...each, lagBytes: Math.max(each.lagBytes, measured.get(each.name) ?? 0) },
  );
  return { ...view, members };
}

function faultOf(each: PatroniMember, view: PatroniView): [reason: string, message: string] | undefined {
  if (each.isExcluded) return ['CANDIDATE_UNHEALTHY', `${each.name} has the tag nofailover`];
  if (!each.isHealthy) return ['CANDIDATE_UNHEALTHY', `${each.name} is ${each.state}`];
  if (each.lagBytes === null || each.lagBytes > view.mostLagBytes)
    return ['CANDIDATE_LAGGING', `${each.name} is ${each.lagBytes ?? 'an unknown number of'} bytes behind`];
  const hasSynchronous = view.members.some(({ isSynchronous }) => isSynchronous);
  if (view.isSynchronous && hasSynchronous && !each.isSynchronous)
    return [
      'CANDIDATE_LAGGING',
      `${each.name} is no synchronous standby, and may lack what was acknowledged`,
    ];
  return undefined;
}

export function refused(reason: string, message: string): ApiError {
  return new ApiError('CONFLICT', message, { reason });
}
