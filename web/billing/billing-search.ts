/** What the address says after a page of the payment provider. */
export interface BillingSearch {
  checkout?: 'done' | 'cancelled';
}

export function billingSearch({ checkout }: Record<string, unknown>): BillingSearch {
  return checkout === 'done' || checkout === 'cancelled' ? { checkout } : {};
}
