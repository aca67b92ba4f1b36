import { oneOf, withoutEmpty } from '../parts/search.ts';

export const useRanges = ['7d', '30d', '12mo'] as const;

export interface BillingSearch {
  /** How a page of the payment provider was left. */
  checkout?: 'done' | 'cancelled';
  /** How far back the use is shown. */
  range?: (typeof useRanges)[number];
}

export function billingSearch({ checkout, range }: Record<string, unknown>): BillingSearch {
  return withoutEmpty({
    checkout: oneOf(['done', 'cancelled'] as const, checkout),
    range: oneOf(useRanges, range),
  });
}
