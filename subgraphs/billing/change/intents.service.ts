import { setTimeout as sleep } from 'node:timers/promises';

import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import {
  fingerprintOf,
  keptMs,
  reused,
  type IdempotencyKeys,
  type RepeatableCall,
} from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import { enqueue } from '#platform/jobs/enqueue.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { viewerId } from '#platform/viewer.js';

import { isDiscountTurn } from '../partner/discount-turn.service.js';
import { isKeptFailure } from '../stripe/once.js';
import { fetchSnapshot, type Snapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { failureOf, type StripeFailure } from '../stripe/stripe-errors.js';
import { applySnapshot, type Publish } from '../subscription/apply.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { lockSubscription, takeTicket } from '../subscription/subscription.store.service.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { carryOut } from './carry-out.js';
import { requireOpen } from './change.rules.js';
import { finishKind } from './finish-intent.kind.js';
import { Intent, type IntentKind, type IntentParams } from './intent.entity.js';

/** What is to be asked of Stripe. */
export interface Wanted {
  kind: IntentKind;
  params: IntentParams;
}

/** How Stripe says it is, and when it was asked. */
export interface Looked {
  ticket: number;
  snapshot: Snapshot | undefined;
}

// The request that wrote it does it at once; a job comes by later, in case it has died.
const finishAfterSeconds = 30;
/** As long a change waits for a discount that is being set. */
const waits = { times: 25, ms: 200 } as const;

/** Changes at Stripe: written down, asked for, and applied, so that each happens once whatever dies in between. */
export class Intents {
  constructor(
    private readonly stripe: StripeSource,
    private readonly times: TenantTime,
  ) {}

  /**
   * What was written down already: by an earlier call under the same key, or by one that wants the same and is not finished.
   */
  async find<Mutation extends string>(
    operation: Operation,
    keys: IdempotencyKeys<Mutation>,
    call: RepeatableCall<Mutation>,
  ): Promise<Intent | undefined> {
    operation.refuseSuspended(operation.tenantId);
    return earlierOf(operation.em, operation, markOf(operation, keys, call));
  }

  /**
   * Writes down what is wanted, or finds it written, as `find` does. `decide` answers undefined where nothing is to be done.
   * CONFLICT (CHANGE_IN_PROGRESS).
   */
  async begin<Mutation extends string>(
    operation: Operation,
    keys: IdempotencyKeys<Mutation>,
    call: RepeatableCall<Mutation>,
    decide: (row: BillingSubscription, em: SqlEntityManager) => Promise<Wanted | undefined>,
  ): Promise<Intent | undefined> {
    operation.refuseSuspended(operation.tenantId);
    for (let turn = 0; turn < waits.times; turn += 1) {
      const begun = await this.tryToBegin(operation, keys, call, decide);
      if (begun !== 'WAIT') return begun;
      await sleep(waits.ms);
    }
    throw inProgress();
  }

  private async tryToBegin<Mutation extends string>(
    operation: Operation,
    keys: IdempotencyKeys<Mutation>,
    call: RepeatableCall<Mutation>,
    decide: (row: BillingSubscription, em: SqlEntityManager) => Promise<Wanted | undefined>,
  ): Promise<Intent | 'WAIT' | undefined> {
    const { tenantId } = operation;
    const mark = markOf(operation, keys, call);
    return operation.database.forTenant(tenantId).transactional(async (em) => {
      const row = await lockSubscription(em, tenantId);
      const earlier = await earlierOf(em, operation, mark);
      if (earlier) return earlier;
      await requireNoneUnderWay(em, tenantId);
      if (await isDiscountTurn(em, tenantId)) return 'WAIT';
      const wanted = await decide(row, em);
      if (!wanted) return undefined;
      if (wanted.kind !== 'CANCEL') requireOpen(row);
      const viewer = operation.requireViewer();
      const intent = em.create(Intent, {
        tenantId,
        id: newId('intent'),
        ...wanted,
        mutation: {
          name: call.mutation,
          actor: viewerId(viewer),
          actorKind: viewer.kind,
          clientAddress: operation.request.clientAddress,
        },
        ...mark,
        status: 'PENDING',
        createdAt: operation.clock.now(),
        finishedAt: null,
      });
      await em.flush();
      const payload = { tenantId, intentId: intent.id };
      const { requestId: causedBy } = operation.request;
      await enqueue(em, 'billing', finishKind, payload, { causedBy, startAfterSeconds: finishAfterSeconds });
      return intent;
    });
  }

  /**
   * Asks Stripe, and then how it is. What Stripe refuses for good is for `refuse` to end, and so is what it fails at each
   * time, but for the end of a subscription; where it is not known what became of it, it stays, and is asked for again by
   * the next call or by the job.
   */
  async ask(
    em: SqlEntityManager,
    intent: Intent,
    now: Date,
    refuse: (error: ApiError) => Promise<void>,
  ): Promise<Looked> {
    try {
      await carryOut(this.stripe(), intent, now);
    } catch (cause) {
      const failure = failureOf(cause) ?? refusalOf(cause);
      // Stripe would tell of such a failure for a day more, and nothing else could be asked for meanwhile. Who has
      // cancelled wants nothing else, and is not to pay on.
      const isGivenUp = isKeptFailure(cause) && intent.kind !== 'CANCEL';
      if (failure && (failure.isFinal || isGivenUp)) await refuse(failure.error);
      throw failure?.error ?? cause;
    }
    return this.look(em, intent.tenantId, intent.params.customerId);
  }

  async look(em: SqlEntityManager, tenantId: string, customerId: string): Promise<Looked> {
    const ticket = await takeTicket(em, tenantId);
    try {
      return { ticket, snapshot: await fetchSnapshot(this.stripe(), customerId) };
    } catch (cause) {
      throw failureOf(cause)?.error ?? cause;
    }
  }

  /** Applies what Stripe says, and is done with the intent; false when somebody else was first. */
  async finish(
    { em, publish }: { em: SqlEntityManager; publish: Publish },
    intent: Intent,
    { ticket, snapshot }: Looked,
    now: Date,
  ): Promise<{ row: BillingSubscription; isFirst: boolean }> {
    const { tenantId, id } = intent;
    const row = await lockSubscription(em, tenantId);
    const lockMode = LockMode.PESSIMISTIC_WRITE;
    const stored = await em.findOneOrFail(Intent, { tenantId, id }, { lockMode });
    const at = await this.times.at(em, tenantId, now);
    applySnapshot(row, snapshot, { ticket, now, at, publish });
    const isFirst = stored.status === 'PENDING';
    if (isFirst) Object.assign(stored, { status: 'DONE', finishedAt: now });
    await em.flush();
    return { row, isFirst };
  }
}

/** What tells a call that is repeated from another one. */
type Mark = Pick<Intent, 'idempotencyKey' | 'fingerprint'>;

function markOf<Mutation extends string>(
  operation: Operation,
  keys: IdempotencyKeys<Mutation>,
  call: RepeatableCall<Mutation>,
): Mark {
  return { idempotencyKey: keys.keyOf(operation, call) ?? null, fingerprint: fingerprintOf(call) };
}

async function earlierOf(
  em: SqlEntityManager,
  { tenantId, clock }: Operation,
  { idempotencyKey, fingerprint }: Mark,
): Promise<Intent | undefined> {
  // Keys hold for a day, as their answers are kept: after that the same call is another one.
  const createdAt = { $gt: new Date(clock.now().getTime() - keptMs) };
  const mine =
    idempotencyKey === null
      ? null
      : await em.findOne(Intent, {
          tenantId,
          idempotencyKey,
          $or: [{ status: 'PENDING' }, { status: 'DONE', createdAt }],
        });
  if (mine && mine.fingerprint !== fingerprint) throw reused();
  return mine ?? (await em.findOne(Intent, { tenantId, fingerprint, status: 'PENDING' })) ?? undefined;
}

/** CONFLICT (CHANGE_IN_PROGRESS). */
export async function requireNoneUnderWay(em: SqlEntityManager, tenantId: string): Promise<void> {
  if ((await em.count(Intent, { tenantId, status: 'PENDING' })) > 0) throw inProgress();
}

function inProgress(): ApiError {
  return new ApiError('CONFLICT', 'Another change of the subscription is not finished yet', {
    reason: 'CHANGE_IN_PROGRESS',
  });
}

/** What was found to stand against it on the way. */
function refusalOf(cause: unknown): StripeFailure | undefined {
  return cause instanceof ApiError && cause.code === 'CONFLICT' ? { isFinal: true, error: cause } : undefined;
}

/** Ends one that has not been finished meanwhile; whether it was open. */
export async function end(
  em: SqlEntityManager,
  { tenantId, id }: Intent,
  status: 'REFUSED' | 'ABANDONED',
  now: Date,
): Promise<boolean> {
  const ended = await em.execute<unknown[]>(
    `update billing.intent set status = ?, finished_at = ?
     where tenant_id = ? and id = ? and status = 'PENDING' returning 1`,
    [status, now, tenantId, id],
  );
  return ended.length > 0;
}
