import { expireSession } from '../checkout/expire.js';
import { finalizeInvoice } from '../invoice/finalize.js';
import { payInvoice } from '../invoice/pay.js';
import { advanceSchedule, scheduleMoment } from '../schedule/phases.js';
import type { Invoice, Subscription } from '../store/stored.js';
import { endSubscription } from '../subscription/end.js';
import { expireIncomplete, onPaymentFailed } from '../subscription/outcome.js';
import { expirePendingUpdate } from '../subscription/pending-update.js';
import { renewSubscription } from '../subscription/renew.js';
import { endTrial } from '../subscription/trial.js';
import type { World } from '../world.js';

/** Something that time does to one resource at a moment. */
interface Step {
  at: number;
  /** Of several at one moment the lowest goes first: what ends is not renewed, what changes is renewed as changed. */
  rank: number;
  run: (world: World) => void;
}

const renewed: ReadonlySet<string> = new Set(['active', 'past_due', 'unpaid']);

interface Remembered {
  version: number;
  step: Step | undefined;
}

const remembered = new WeakMap<World, Map<string | null, Remembered>>();

/** The earliest step on a test clock, or among all who have none. Looked for only after something has changed. */
export function nextStep(world: World, clock: string | null): Step | undefined {
  const known = remembered.get(world) ?? new Map<string | null, Remembered>();
  remembered.set(world, known);
  const before = known.get(clock);
  const version = world.store.timeVersion;
  if (before?.version === version) return before.step;
  const step = earliestStep(world, clock);
  known.set(clock, { version, step });
  return step;
}

function earliestStep(world: World, clock: string | null): Step | undefined {
  let first: Step | undefined;
  const consider = (step: Step): void => {
    if (!first || step.at < first.at || (step.at === first.at && step.rank < first.rank)) first = step;
  };
  for (const subscription of world.store.all('subscription'))
    if (subscription.test_clock === clock && subscription.ended_at === null)
      for (const step of subscriptionSteps(world, subscription)) consider(step);
  for (const invoice of world.store.all('invoice'))
    if (invoice.test_clock === clock) for (const step of invoiceSteps(world, invoice)) consider(step);
  for (const schedule of world.store.all('subscription_schedule')) {
    const at = schedule.test_clock === clock ? scheduleMoment(schedule) : undefined;
    if (at !== undefined) consider({ at, rank: 1, run: () => advanceSchedule(world, schedule.id) });
  }
  for (const session of world.store.all('checkout.session')) {
    if (session.status === 'open' && world.clockOf(session.customer) === clock)
      consider({ at: session.expires_at, rank: 4, run: () => expireSession(world, session.id) });
  }
  return first;
}

function subscriptionSteps(world: World, subscription: Subscription): Step[] {
  const { id, status, trial_end: trialEnd, cancel_at: cancelAt, pending_update: pending } = subscription;
  const steps: Step[] = [];
  if (status === 'incomplete')
    steps.push({
      at: subscription.created + world.settings.incompleteSeconds,
      rank: 0,
      run: () => expireIncomplete(world, subscription),
    });
  if (cancelAt !== null)
    steps.push({
      at: cancelAt,
      rank: 0,
      run: () => endSubscription(world, id, { reason: 'cancellation_requested' }),
    });
  if (pending) steps.push({ at: pending.expires_at, rank: 0, run: () => expirePendingUpdate(world, id) });
  if (status === 'trialing' && trialEnd !== null) {
    if (world.store.mark(`${id} trial_will_end`) !== trialEnd)
      steps.push({
        at: Math.max(subscription.trial_start ?? 0, trialEnd - world.settings.trialWarningSeconds),
        rank: 0,
        run: () => {
          world.store.setMark(`${id} trial_will_end`, trialEnd);
          world.emit('customer.subscription.trial_will_end', subscription);
        },
      });
    steps.push({ at: trialEnd, rank: 2, run: () => endTrial(world, id, { isEarly: false }) });
  }
  const periodEnd = subscription.items.data[0]?.current_period_end;
  if (renewed.has(status) && periodEnd !== undefined)
    steps.push({ at: periodEnd, rank: 2, run: () => renewSubscription(world, id) });
  return steps;
}

function invoiceSteps(world: World, invoice: Invoice): Step[] {
  const {
    id,
    status,
    automatically_finalizes_at: finalizesAt,
    next_payment_attempt: attemptAt,
    due_date: dueDate,
  } = invoice;
  if (status === 'draft' && invoice.auto_advance && finalizesAt !== null)
    return [
      {
        at: finalizesAt,
        rank: 3,
        run: () => {
          const open = finalizeInvoice(world, id);
          if (open.status === 'open' && open.collection_method === 'send_invoice')
            world.emit('invoice.sent', open);
        },
      },
    ];
  if (status !== 'open') return [];
  if (attemptAt !== null && invoice.auto_advance)
    return [{ at: attemptAt, rank: 3, run: () => void payInvoice(world, invoice, { isAutomatic: true }) }];
  if (
    invoice.collection_method === 'send_invoice' &&
    dueDate !== null &&
    world.store.mark(`${id} overdue`) === undefined
  )
    return [
      {
        at: dueDate,
        rank: 3,
        run: () => {
          world.store.setMark(`${id} overdue`, dueDate);
          world.emit('invoice.overdue', invoice);
          onPaymentFailed(world, invoice);
        },
      },
    ];
  return [];
}

/** Far more steps than any sensible stretch of time has; more means that a step does not move itself out of the way. */
const mostSteps = 200_000;

/** Lets time pass for those without a test clock: everything due by now happens, in order, each at its moment. */
export function settleTime(world: World): void {
  const now = world.machineNow();
  for (let count = 0; ; count += 1) {
    const step = nextStep(world, null);
    if (!step || step.at > now) return;
    if (count > mostSteps) throw new Error('time does not move on');
    world.transact(() => world.at(step.at, () => step.run(world)));
  }
}

/** Lets time pass on a test clock. */
export function settleClock(world: World, clock: string, until: number): void {
  for (let count = 0; ; count += 1) {
    const step = nextStep(world, clock);
    if (!step || step.at > until) break;
    if (count > mostSteps) throw new Error('time does not move on');
    world.transact(() => {
      const now = world.store.get('test_helpers.test_clock', clock)?.frozen_time ?? 0;
      world.store.change('test_helpers.test_clock', clock, { frozen_time: Math.max(now, step.at) });
      step.run(world);
    });
  }
}
