/** What a tenant may use from now on. A consumer that holds a higher version ignores it. Limits of null are unlimited. */
export interface EntitlementGranted {
  tenantId: string;
  version: number;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  features: string[];
  /** `instances`, `users`, `storageGb`. */
  limits: Record<string, number | null>;
  /** Nothing may be added until an overdue payment is made. */
  isReadOnly?: boolean;
  /** Who decided on the plan; absent where only what is left of it has changed. */
  source?: 'SUBSCRIPTION' | 'GRANT' | 'PROVIDER';
  /** Of a subscription: the version of what billing has decided. */
  decision?: number;
}

/** What a tenant's subscription gives it from now on. One with a lower version is stale. */
export interface PlanDecided {
  version: number;
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  /** The subscription gives what it gave: what is in force stays so, also where that was granted. */
  keepsPlan?: boolean;
  /** It takes the place of what was granted, up to this version of the plan in force: a later grant holds as it is. */
  endsGrantsTo?: number;
  /** By contract, in the place of the plan's own; null is unlimited. */
  instanceLimit?: number | null;
  isReadOnly: boolean;
}

/** A subscription, or what follows from it, is different from now on. */
export interface SubscriptionChanged {
  plan: 'FREE' | 'PRO' | 'ENTERPRISE';
  status: string;
}

/** A partner registered, was decided about, or has another tier. One with a lower version is stale. */
export interface PartnerChanged {
  partnerId: string;
  /** What it is called. */
  name?: string;
  /** What was decided about it until now; null where it has just registered. */
  fromStatus?: PartnerChanged['status'] | null;
  status: 'PENDING' | 'APPROVED' | 'REJECTED' | 'SUSPENDED';
  /** The tier that it had until now, and has; the same where it is not that which has changed. */
  fromTier: string | null;
  tier: string | null;
  tierName?: string | null;
  instances: number;
  discountPercent: number;
}

/** An invoice of a partner's customer was paid; told once each. Minor units and ISO 4217. */
export interface InvoicePaid {
  invoiceId: string;
  amountPaid: number;
  /** What of it is without taxes; absent where an older version tells. */
  amountNet?: number;
  currency: string;
  paidAt: string;
}

/**
 * More, or less, of a paid invoice of a partner's customer went back to it than was told before: refunds may fail. The
 * amount is all that went back of it by now, in minor units of the invoice's currency.
 */
export interface InvoiceRefunded {
  invoiceId: string;
  amountReturned: number;
  /** Rises by one with each amount of an invoice. */
  version: number;
  returnedAt: string;
}

/**
 * A tenant's own time, in a demo or a test, has jumped: all that it has under way is to be as if as much time had passed.
 */
export interface TestClockAdvanced {
  /** ISO 8601, the tenant's time. */
  from: string;
  to: string;
  /** Whole milliseconds, above 0. */
  byMs: number;
}

/** Whoever pays for the tenant is to be told. */
export interface NoticeRaised {
  notice: BillingNotice;
  /** Of a failed payment: minor units and ISO 4217, where known. */
  amountDue?: number;
  currency?: string;
  /** When nothing can be added any more, or the plan ends. */
  at?: string;
  /** Of use near its limit. */
  metric?: 'instances' | 'users' | 'storageGb';
  used?: number;
  limit?: number;
}

export type BillingNotice =
  | 'PAYMENT_FAILED'
  | 'PAYMENT_REMINDER'
  | 'READ_ONLY_SOON'
  | 'READ_ONLY'
  | 'TRIAL_ENDS'
  | 'SUBSCRIPTION_ENDED'
  | 'USAGE_NEAR_LIMIT'
  | 'USAGE_AT_LIMIT';
