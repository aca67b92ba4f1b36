import type { Admission } from '#platform/admission/admission.js';
import { Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';
import { IdempotencyKeys } from '#platform/idempotency/idempotency-keys.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { packages } from '../package/packages.js';
import { isAway } from '../stripe/stripe-errors.js';
import {
  endsWithPeriod,
  newSubscription,
  type BillingSubscription,
} from '../subscription/subscription.entity.js';
import { lockSubscription, readSubscription } from '../subscription/subscription.store.service.js';
import { wantSync } from '../subscription/sync-request.service.js';
import type { ChangeSubscriptionInput, SubscriptionCallInput } from './change.inputs.js';
import {
  cycleOf,
  isLive,
  isOtherPlan,
  isPaused,
  isSmallerPlan,
  isToEndOrShrink,
  requireOwnPlan,
  stepTo,
  type Step,
  type Target,
} from './change.rules.js';
import { changesOf } from './finish-intent.job.js';
import type { IntentParams } from './intent.entity.js';
import { end, type Intents, type Looked, type Wanted } from './intents.service.js';
import { noMeans, type Means, type MeansFinder } from './means.service.js';
import { overLimits, tooSmall } from './over-limits.service.js';
import { changeTo } from './plan-admission.js';

type Mutation = 'changeSubscription' | 'cancelSubscription' | 'resumeSubscription';

/** Changes of a tenant's own subscription. */
export class ChangeService {
  readonly idempotency = new IdempotencyKeys('billing', [
    'changeSubscription',
    'cancelSubscription',
    'resumeSubscription',
  ]);

  constructor(
    private readonly means: MeansFinder,
    private readonly intents: Intents,
    private readonly admission: Admission,
  ) {}

  /** To a larger plan at once, to a smaller one when the period that is paid ends. */
  async change(operation: Operation, input: ChangeSubscriptionInput): Promise<BillingSubscription> {
    const { tenantId } = operation;
    const before = await readSubscription(operation.em, tenantId);
    const target = { plan: input.plan, cycle: input.billingCycle ?? cycleOf(before) };
    return this.run(operation, 'changeSubscription', input, async () => {
      const step = stepTo(before, target);
      if (isOtherPlan(before, step, target)) await this.admission.require(operation, changeTo(target.plan));
      const means = await this.means.find(operation.em, before, step, target);
      return async (row, em) => {
        const step = stepTo(row, target);
        if ((step === 'CANCEL' || step === 'DOWNGRADE') && isSmallerPlan(row, target.plan)) {
          const over = await overLimits(em, tenantId, target.plan);
          if (over.length > 0) throw tooSmall(target.plan, over);
        }
        return wantedOf(row, step, target, means);
      };
    });
  }

  /** Ends it when the period that is paid ends, at once where none is paid, whatever is in use: nobody is kept. */
  async cancel(operation: Operation, input: SubscriptionCallInput): Promise<BillingSubscription> {
    return this.run(operation, 'cancelSubscription', input, async () => async (row) => {
      requireOwnPlan(row);
      if (!isLive(row)) throw noSubscription();
      if (endsWithPeriod(row)) return undefined;
      return wantedOf(row, 'CANCEL', { plan: Plan.FREE, cycle: row.billingCycle }, noMeans);
    });
  }

  /** Takes back that it ends, or becomes a smaller plan, and has one go on that Stripe has paused. */
  async resume(operation: Operation, input: SubscriptionCallInput): Promise<BillingSubscription> {
    const before = await readSubscription(operation.em, operation.tenantId);
    return this.run(operation, 'resumeSubscription', input, async () => {
      const means = await this.means.toGoOn(before);
      return async (row) => {
        requireOwnPlan(row);
        if (!isLive(row) || row.subscribedPlan === null) throw noSubscription();
        if (!isPaused(row) && !isToEndOrShrink(row)) return undefined;
        return wantedOf(row, 'RESUME', { plan: row.subscribedPlan, cycle: row.billingCycle }, means);
      };
    });
  }

  private async run(
    operation: Operation,
    mutation: Mutation,
    input: { idempotencyKey?: string | null },
    prepare: () => Promise<Parameters<Intents['begin']>[3]>,
  ): Promise<BillingSubscription> {
    const call = { mutation, input, key: input.idempotencyKey };
    const earlier = await this.idempotency.find<StoredAnswer>(operation, call);
    if (earlier) return revive(earlier);
    // What is under way was admitted, and is finished whatever became a policy since.
    const begun = await this.intents.find(operation, this.idempotency, call);
    const intent = begun ?? (await this.intents.begin(operation, this.idempotency, call, await prepare()));
    const { em, tenantId, clock } = operation;
    let isGivenUp = false;
    const looked: Looked | undefined =
      intent?.status === 'PENDING'
        ? await this.intents
            .ask(em, intent, clock.now(), async ({ extensions: { reason } }) =>
              operation.write(async (write) => {
                isGivenUp = true;
                await end(write.em, intent, 'REFUSED', clock.now());
                write.audit({ target: tenantId, changes: { ...changesOf(intent), refused: reason } });
                await wantSync(write, tenantId, clock.now());
              }),
            )
            .catch((error: unknown) => {
              throw isAway(error) && !isGivenUp ? madeLater(error) : error;
            })
        : undefined;
    return this.idempotency.write(operation, call, revive, async (write) => {
      write.audit({ target: tenantId, changes: intent ? changesOf(intent) : { nothing: true } });
      const row =
        intent && looked
          ? (await this.intents.finish(write, intent, looked, clock.now())).row
          : await lockSubscription(write.em, tenantId);
      return { answer: row, response: Object.fromEntries(Object.entries(row)) as StoredAnswer };
    });
  }
}

function wantedOf(
  row: BillingSubscription,
  step: Step,
  { plan, cycle }: Target,
  means: Means,
): Wanted | undefined {
  if (step === 'NOTHING') return undefined;
  const { customerId, stripeId, stripeItemId, scheduleId } = row;
  const isToBePaid = step === 'SUBSCRIBE' || (step === 'RESUME' && isPaused(row));
  const lacks = isToBePaid ? means.paymentMethodId === null : stripeId === null;
  if (
    customerId === null ||
    lacks ||
    (packages[plan].prices && step !== 'RESUME' && step !== 'CANCEL' && means.priceId === null)
  ) {
    throw new ApiError('CONFLICT', 'The subscription has changed meanwhile; look again', {
      reason: 'SUBSCRIPTION_CHANGED',
    });
  }
  const params: IntentParams = {
    customerId,
    subscriptionId: step === 'SUBSCRIBE' ? null : stripeId,
    itemId: stripeItemId,
    scheduleId: step === 'SUBSCRIBE' ? null : scheduleId,
    plan,
    cycle,
    ...means,
    ...(isPaused(row) ? { isPaused: true } : {}),
    ...(row.cancelAt !== null && !endsWithPeriod(row) ? { keepsDay: true } : {}),
  };
  return { kind: step, params };
}

/** It is written down, and made as soon as Stripe can be asked: no 503 that has done nothing. */
function madeLater(cause: unknown): ApiError {
  return new ApiError(
    'UNAVAILABLE',
    'The payment provider can not be reached now: the change is kept, and made as soon as it can',
    { reason: 'STRIPE_AWAY', retryAfterSeconds: 5, details: { isKept: true }, cause },
  );
}

function noSubscription(): ApiError {
  return new ApiError('CONFLICT', 'There is no subscription', { reason: 'NO_SUBSCRIPTION' });
}

type StoredAnswer = { [Name in keyof BillingSubscription]: unknown };

const dates = [
  'periodStart',
  'periodEnd',
  'cancelAt',
  'endedAt',
  'trialEnd',
  'pastDueSince',
  'dunningAt',
  'trialNoticeAt',
  'syncedAt',
  'reconcileAt',
] as const satisfies readonly (keyof BillingSubscription)[];

/** Out of JSON times come as text. */
function revive(stored: StoredAnswer): BillingSubscription {
  const row = Object.assign(newSubscription(''), stored);
  for (const name of dates) if (row[name] !== null) row[name] = new Date(row[name]);
  return row;
}
