import { setTimeout as sleep } from 'node:timers/promises';

import { isPassing, sqlCodeOf } from '#platform/database/outage.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import { leaseSeconds } from '#platform/membership/lease.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { candidate, memberToLead, refused, withMeasuredLag } from './candidates.js';
import { measureStreaming } from './database.loader.js';
import { failOverRules, type FailOverInput } from './ha.inputs.js';
import { HaRole, type HaStatus } from './ha.js';
import { readNodes } from './nodes.loader.js';
import type { PatroniView } from './patroni/patroni.js';
import type { PatroniWatch } from './patroni/watch.js';
import type { HaService } from './status.service.js';
import { endSwitch, keepSwitch, readSwitch, type LastSwitch } from './switch.service.js';

/** A gateway in front of this process waits ten seconds for an answer, and those who look at Patroni first need some. */
const answerMs = 8_000;
const atLeastMs = 2_000;
/** For the step of a singleton that is under way. */
const afterSteps = { ...patience.background, lock: 7_000 };
const settleMs = 60_000;
const lookMs = 500;
const leaderlessMs = 4_000;
const lockNotGiven = '55P03';

interface UnderWay {
  name: string;
  work: Promise<void>;
}

/** Has another one lead: a process of the panel, or a server of the database. */
export class FailoverService {
  /** The switch of the database that was not answered yet, or goes on since. */
  private underWay: UnderWay | undefined;

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
    const leader = nodes.find(({ role }) => role === HaRole.LEADER);
    const last = await readSwitch(operation.em, 'panel');
    if (last && isTheSame(last, wanted, leader?.id)) return;
    const target = candidate(nodes, wanted);
    await afterSingletons(async () =>
      operation.write(async ({ em, audit }) => {
        const moved = await em.execute<unknown[]>(
          `select platform.move_leases(?, string_to_array(?, ','), ?)`,
          [target.id, target.areas.join(','), leaseSeconds],
        );
        audit({ target: target.name, changes: { of: 'panel', process: target.id, leases: moved.length } });
        const isChosen = wanted === undefined;
        const turn = await keepSwitch(em, 'panel', { turn: last?.turn, target: target.id, isChosen });
        if (turn === undefined) throw goesOn(undefined);
        await endSwitch(em, 'panel', turn, 'over');
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
    const seen = wanted === undefined ? await unlessUnderWay(patroni, view) : view;
    const leader = seen.members.find(({ isLeader }) => isLeader);
    if (leader && leader.name === wanted) return;
    // While nobody leads nothing is read or written either.
    const last = await readSwitch(operation.em, 'database').catch((error: unknown) => {
      if (leader || !isPassing(error)) throw error;
      return undefined;
    });
    if (last && isTheSame(last, wanted, leader?.name))
      return inTime(this.goOn(operation, patroni, last), until);
    const measured = leader ? withMeasuredLag(seen, await measureStreaming(operation.em)) : seen;
    const { name } = memberToLead(measured, wanted);
    const details = { target: name, changes: { of: 'database', from: leader?.name ?? null } };
    const next = { target: name, isChosen: wanted === undefined };
    // What is asked for is in the trail before the server goes; singletons under way end first.
    const turn =
      leader &&
      (await afterSingletons(async () =>
        operation.write(async ({ em, audit }) => {
          await em.execute('select platform.await_singletons()');
          audit(details);
          const kept = await keepSwitch(em, 'database', { ...next, turn: last?.turn });
          // Undoes the row in the trail too.
          if (kept === undefined) throw goesOn(undefined);
          return kept;
        }),
      ));
    const work = (async () => {
      await patroni.client.lead(leader?.name, name).catch(async (error: unknown) => {
        if (turn && isRefusal(error)) await end(operation, turn, 'refused');
        throw error;
      });
      await settled(operation, patroni, name);
      if (turn) return end(operation, turn, 'over');
      await operation.write(async ({ em, audit }) => {
        audit(details);
        const before = await readSwitch(em, 'database');
        const kept = await keepSwitch(em, 'database', { ...next, turn: before?.turn });
        if (kept) await endSwitch(em, 'database', kept, 'over');
      });
    })();
    return inTime(this.follow({ name, work }), until);
  }

  /** Waits for a switch that another process asked for, or this one before. */
  private goOn(operation: Operation, patroni: PatroniWatch, { turn, target, isOver }: LastSwitch): UnderWay {
    const work = settled(operation, patroni, target).then(async () => {
      if (!isOver) await end(operation, turn, 'over');
    });
    return this.follow({ name: target, work });
  }

  private follow(underWay: UnderWay): UnderWay {
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
async function inTime({ name, work }: UnderWay, until: number): Promise<void> {
  const over = new AbortController();
  const left = Math.max(atLeastMs, until - performance.now());
  const tooLate = sleep(left, true, { signal: over.signal, ref: false }).catch(() => false);
  const isLate = await Promise.race([work.then(() => false), tooLate]).finally(() => over.abort());
  if (isLate) throw goesOn(name);
}

/** Where it waits for a singleton's step in vain, it has done nothing. */
async function afterSingletons<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await withPatience(afterSteps, work);
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

/**
 * Whether the call asks for what was asked for already: the same server, or whichever one, and that is on its way. Also
 * once it leads, when the panel chose it: whoever had no answer in time repeats the call as it was.
 */
function isTheSame(
  { target, isChosen, isFresh, isOver }: LastSwitch,
  wanted: string | undefined,
  leader: string | undefined,
): boolean {
  if (!isFresh) return false;
  if (!isOver) return (wanted ?? target) === target;
  return isChosen && wanted === undefined && leader === target;
}

/** In a switch there is no leader for a moment, which is no reason for a failover. */
async function unlessUnderWay(patroni: PatroniWatch, view: PatroniView): Promise<PatroniView> {
  const hasLeader = ({ members }: PatroniView) => members.some(({ isLeader }) => isLeader);
  let seen = view;
  for (const last = performance.now() + leaderlessMs; !hasLeader(seen) && performance.now() < last;) {
    await sleep(lookMs);
    seen = await patroni.look();
    if (seen.problem !== undefined) throw away(seen.problem);
  }
  return seen;
}

/** Of an outage the record ends by its time. */
async function end(operation: Operation, turn: string, how: 'over' | 'refused'): Promise<void> {
  await operation
    .write(async ({ em }) => endSwitch(em, 'database', turn, how))
    .catch((error: unknown) => {
      if (!isPassing(error)) throw error;
    });
}

const refusals: readonly unknown[] = ['PATRONI_REFUSED', 'PATRONI_CREDENTIALS', 'PATRONI_FAILED'];

/** Whether Patroni said that it has not done it, and will not. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && refusals.includes(error.extensions.reason);
}

function away(message: string): ApiError {
  return new ApiError('UNAVAILABLE', message, { reason: 'PATRONI_AWAY', retryAfterSeconds: 5 });
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

function goesOn(target: string | undefined): ApiError {
  const words = target
    ? `${target} was asked to lead, and does not take writes yet: repeat the call with it as the target`
    : 'Another server was asked to lead just now: repeat the call';
  return new ApiError('UNAVAILABLE', words, {
    reason: 'FAILOVER_UNDER_WAY',
    retryAfterSeconds: 5,
    ...(target ? { details: { target } } : {}),
  });
}
