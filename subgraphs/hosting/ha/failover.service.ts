import { setTimeout as sleep } from 'node:timers/promises';

import { isPassing, sqlCodeOf } from '#platform/database/outage.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import { leaseSeconds } from '#platform/membership/lease.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { failOverRules, type FailOverInput } from './ha.inputs.js';
import { HaNodeStatus, HaRole, type HaNode, type HaStatus } from './ha.js';
import { readNodes } from './nodes.loader.js';
import type { PatroniMember, PatroniView } from './patroni/patroni.js';
import type { PatroniWatch } from './patroni/watch.js';
import type { HaService } from './status.service.js';

/** A gateway in front of this process waits ten seconds for an answer, and those who look at Patroni first need some. */
const answerMs = 8_000;
const atLeastMs = 2_000;
/** For the step of a singleton that is under way. */
const afterSteps = { ...patience.background, lock: 7_000 };
const settleMs = 60_000;
const lookMs = 500;
const lockNotGiven = '55P03';

/** Has another one lead: a process of the panel, or a server of the database. */
export class FailoverService {
  /** The switch of the database that was not answered yet, or goes on since. */
  private underWay: { name: string; work: Promise<void> } | undefined;

  constructor(
    private readonly ha: HaService,
    private readonly logger: Logger,
  ) {}

  async failOver(operation: Operation, input: FailOverInput): Promise<HaStatus> {
    const until = performance.now() + answerMs;
    const { target } = validate(failOverRules, input);
    const { patroni } = this.ha;
    const wanted = target ?? undefined;
    const view = await patroni?.look();
    if (patroni && view && (await meansServer(operation, view, wanted)))
      await this.switchDatabase(operation, patroni, view, wanted, until);
    else await this.movePanel(operation, wanted);
    return this.ha.status(operation);
  }

  private async movePanel(operation: Operation, wanted: string | undefined): Promise<void> {
    const nodes = await readNodes(operation.em);
    const target = candidate(nodes, wanted);
    await afterSingletons(async () =>
      operation.write(async ({ em, audit }) => {
        const moved = await em.execute<unknown[]>(
          `select platform.move_leases(?, string_to_array(?, ','), ?)`,
          [target.id, target.areas.join(','), leaseSeconds],
        );
        audit({ target: target.name, changes: { of: 'panel', process: target.id, leases: moved.length } });
      }),
    );
  }

  private async switchDatabase(
    operation: Operation,
    patroni: PatroniWatch,
    view: PatroniView,
    wanted: string | undefined,
    until: number,
  ): Promise<void> {
    if (this.underWay && (wanted ?? this.underWay.name) !== this.underWay.name)
      throw goesOn(this.underWay.name);
    if (this.underWay) return inTime(this.underWay, until);
    if (view.problem !== undefined) throw away(view.problem);
    const leader = view.members.find(({ isLeader }) => isLeader);
    if (leader && leader.name === wanted) return;
    const { name } = member(view, wanted);
    const details = { target: name, changes: { of: 'database', from: leader?.name ?? null } };
    // What is asked for is in the trail before the server goes; singletons under way end first.
    if (leader)
      await afterSingletons(async () =>
        operation.write(async ({ em, audit }) => {
          await em.execute('select platform.await_singletons()');
          audit(details);
        }),
      );
    const work = (async () => {
      await patroni.client.lead(leader?.name, name);
      await settled(operation, patroni, name);
      // While nobody led nothing could be written.
      if (!leader) await operation.write(async ({ audit }) => audit(details));
    })();
    return inTime(this.follow({ name, work }), until);
  }

  private follow(underWay: NonNullable<typeof this.underWay>): typeof underWay {
    this.underWay = underWay;
    const { name, work } = underWay;
    void work
      .catch((error: unknown) =>
        this.logger.warn({ err: error, server: name }, 'the database did not fail over'),
      )
      .finally(() => {
        if (this.underWay === underWay) this.underWay = undefined;
      });
    return underWay;
  }
}

/** Fails when it is not over in time; it goes on then. */
async function inTime({ name, work }: { name: string; work: Promise<void> }, until: number): Promise<void> {
  const over = new AbortController();
  const left = Math.max(atLeastMs, until - performance.now());
  const tooLate = sleep(left, true, { signal: over.signal, ref: false }).catch(() => false);
  const isLate = await Promise.race([work.then(() => false), tooLate]).finally(() => over.abort());
  if (isLate) throw goesOn(name);
}

/** Where it waits for a singleton's step in vain, it has done nothing. */
async function afterSingletons(work: () => Promise<void>): Promise<void> {
  try {
    await withPatience(afterSteps, work);
  } catch (error) {
    if (sqlCodeOf(error) !== lockNotGiven) throw error;
    throw new ApiError('UNAVAILABLE', 'A background step is under way, which has to end first', {
      reason: 'SINGLETON_UNDER_WAY',
      retryAfterSeconds: 5,
      cause: error,
    });
  }
}

/** A machine's name may be that of both. The id of a process has a slash, which the name of a server has not. */
async function meansServer(
  { em }: Operation,
  { members, problem }: PatroniView,
  wanted: string | undefined,
): Promise<boolean> {
  if (wanted === undefined) return true;
  if (wanted.includes('/')) return false;
  if (problem !== undefined && members.length === 0)
    throw away(`${problem}, and may know ${wanted}: name a process of the panel by its id`);
  if (!members.some(({ name }) => name === wanted)) return false;
  const hasLeader = members.some(({ isLeader }) => isLeader);
  const nodes = await readNodes(em).catch((error: unknown) => {
    // Where nobody leads there is no list of processes either, and no lease to be given to one.
    if (hasLeader || !isPassing(error)) throw error;
    return [];
  });
  if (nodes.some(({ name }) => name === wanted))
    throw refused(
      'AMBIGUOUS_CANDIDATE',
      `${wanted} is a server of the database and a process of the panel: give that one another NODE_NAME, or name it by its id`,
    );
  return true;
}

function candidate(nodes: readonly HaNode[], wanted: string | undefined): HaNode {
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

function member(view: PatroniView, wanted: string | undefined): PatroniMember {
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

function away(message: string): ApiError {
  return new ApiError('UNAVAILABLE', message, { reason: 'PATRONI_AWAY', retryAfterSeconds: 5 });
}

function refused(reason: string, message: string): ApiError {
  return new ApiError('CONFLICT', message, { reason });
}

/** Resolves when the server leads and the panel reaches it. */
async function settled(operation: Operation, patroni: PatroniWatch, name: string): Promise<void> {
  for (const end = performance.now() + settleMs; performance.now() < end; await sleep(lookMs)) {
    const { members } = await patroni.look();
    if (!members.some((each) => each.name === name && each.isLeader)) continue;
    try {
      const [row] = await operation.database
        .forTenant(operation.tenantId)
        .execute<{ isStandby: boolean }[]>('select pg_is_in_recovery() as "isStandby"');
      if (row?.isStandby === false) return;
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
  throw goesOn(name);
}

function goesOn(name: string): ApiError {
  return new ApiError('UNAVAILABLE', `${name} was asked to lead, and does not take writes yet`, {
    reason: 'FAILOVER_UNDER_WAY',
    retryAfterSeconds: 5,
  });
}
