import type Stripe from 'stripe';

import { readLookupKey } from '../package/packages.js';

type Schedule = Stripe.SubscriptionSchedule;

/** Ours name what is to come in the metadata of a phase. */
export const isOurSchedule = ({ phases }: Schedule): boolean =>
  phases.some(({ metadata }) => readLookupKey(metadata?.['lookup_key']) !== undefined);

/** Whether somebody else has arranged what comes after the phase that runs: taking it off would change that. */
export function isForeignSchedule(schedule: Schedule): boolean {
  if (isOver(schedule) || isOurSchedule(schedule)) return false;
  const { end_behavior: atEnd, phases, current_phase: current } = schedule;
  return atEnd !== 'release' || phases.some(({ start_date: start }) => !current || start >= current.end_date);
}

export const isOver = ({ status }: Schedule): boolean => status !== 'active' && status !== 'not_started';

/** A phase as it is, for being sent again but for its discounts: what is not sent is taken from it. */
export function phaseAsItIs(
  phase: Stripe.SubscriptionSchedule.Phase,
): Stripe.SubscriptionScheduleUpdateParams.Phase {
  const { items, start_date, end_date, metadata, description } = phase;
  const method = named(phase.default_payment_method);
  const days = phase.invoice_settings?.days_until_due;
  return {
    items: items.map((item) => ({
      price: named(item.price) ?? '',
      quantity: item.quantity ?? 1,
      ...(item.tax_rates?.length ? { tax_rates: item.tax_rates.map(({ id }) => id) } : {}),
      ...(item.metadata && Object.keys(item.metadata).length > 0 ? { metadata: item.metadata } : {}),
    })),
    start_date,
    end_date,
    // Without it a trial would be over at once.
    ...(phase.trial_end === null ? {} : { trial_end: phase.trial_end }),
    ...(phase.collection_method === null ? {} : { collection_method: phase.collection_method }),
    ...(days == null ? {} : { invoice_settings: { days_until_due: days } }),
    ...(method === undefined ? {} : { default_payment_method: method }),
    ...taxesOf(phase),
    ...(description === null ? {} : { description }),
    ...(metadata === null ? {} : { metadata }),
  };
}

/** How a phase is taxed, for the next one to be taxed as it is: what is not sent is not taxed. */
export function taxesOf({
  default_tax_rates: rates,
  automatic_tax: automatic,
}: Stripe.SubscriptionSchedule.Phase): Pick<
  Stripe.SubscriptionScheduleUpdateParams.Phase,
  'default_tax_rates' | 'automatic_tax'
> {
  return {
    ...(rates?.length ? { default_tax_rates: rates.map(({ id }) => id) } : {}),
    ...(automatic?.enabled ? { automatic_tax: { enabled: true } } : {}),
  };
}

/** The id of what may be expanded. */
export function named(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'string' ? reference : reference?.id;
}
