/**
 * What a person sets in Stripe's dashboard under Billing, as data. Days count from the attempt before. These are the
 * proposals that Stripe makes for a schedule of one's own; smart retries choose their moments by means nobody can copy.
 */
export interface BillingSettings {
  /** The id of the account, whichever of its keys is used. */
  account: string;
  /** When a failed payment is tried again; after the last one `whenRetriesFail` happens. */
  retryAfterDays: readonly number[];
  whenRetriesFail: 'cancel' | 'mark_unpaid' | 'leave_past_due';
  /** How long an invoice made by time stays a draft. */
  draftSeconds: number;
  /** How long a first payment may be outstanding. */
  incompleteSeconds: number;
  /** How long before its end a trial is said to end. */
  trialWarningSeconds: number;
  /** How long a hosted checkout page is open. */
  checkoutSeconds: number;
}

export const hour = 3600;
export const day = 24 * hour;

export const defaultSettings: BillingSettings = {
  account: 'acct_1StandIn00000000',
  retryAfterDays: [3, 5, 7],
  whenRetriesFail: 'cancel',
  draftSeconds: hour,
  incompleteSeconds: 23 * hour,
  trialWarningSeconds: 3 * day,
  checkoutSeconds: day,
};
