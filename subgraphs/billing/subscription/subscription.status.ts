import { registerEnumType } from 'type-graphql';

/** Stripe's eight states of a subscription. */
export enum SubscriptionStatus {
  TRIALING = 'TRIALING',
  ACTIVE = 'ACTIVE',
  PAST_DUE = 'PAST_DUE',
  UNPAID = 'UNPAID',
  PAUSED = 'PAUSED',
  INCOMPLETE = 'INCOMPLETE',
  INCOMPLETE_EXPIRED = 'INCOMPLETE_EXPIRED',
  CANCELED = 'CANCELED',
}

registerEnumType(SubscriptionStatus, {
  name: 'SubscriptionStatus',
  description: "Stripe's states of a subscription. A tenant that never had one is ACTIVE on its plan.",
  valuesConfig: {
    TRIALING: { description: 'The plan in full, without payment until the trial ends.' },
    ACTIVE: { description: 'Paid.' },
    PAST_DUE: {
      description: 'A payment failed and is tried again. The plan in full until the grace is over.',
    },
    UNPAID: { description: 'Payment was given up: nothing can be added.' },
    PAUSED: {
      description:
        'The payment provider has paused it, as when a trial ends without a payment method: nothing can be added until `resumeSubscription`.',
    },
    INCOMPLETE: { description: 'The first payment was not made yet: the plan Free.' },
    INCOMPLETE_EXPIRED: { description: 'The first payment was not made in time: the plan Free.' },
    CANCELED: { description: 'Ended: the plan Free.' },
  },
});

/** What a state gives. */
interface Access {
  /** Whether the tenant has the plan it subscribed to, or Free. */
  hasPlan: boolean;
  /** When nothing can be added any more: never, at once, or when the grace of the dunning ladder is over. */
  readOnly: 'NEVER' | 'AT_ONCE' | 'AFTER_GRACE';
  /** Whether this subscription may still be changed; of one that is over a new one is made. */
  isLive: boolean;
}

/** How to read this table: a subscription in the state on the left gives its tenant what is on its right. */
// oxfmt-ignore
export const accessOf: Readonly<Record<SubscriptionStatus, Access>> = {
  TRIALING:           { hasPlan: true,  readOnly: 'NEVER',       isLive: true  },
  ACTIVE:             { hasPlan: true,  readOnly: 'NEVER',       isLive: true  },
  PAST_DUE:           { hasPlan: true,  readOnly: 'AFTER_GRACE', isLive: true  },
  UNPAID:             { hasPlan: true,  readOnly: 'AT_ONCE',     isLive: true  },
  PAUSED:             { hasPlan: true,  readOnly: 'AT_ONCE',     isLive: true  },
  INCOMPLETE:         { hasPlan: false, readOnly: 'NEVER',       isLive: false },
  INCOMPLETE_EXPIRED: { hasPlan: false, readOnly: 'NEVER',       isLive: false },
  CANCELED:           { hasPlan: false, readOnly: 'NEVER',       isLive: false },
};

/** Throws on a state that Stripe has added since: guessing what it gives is worse than keeping what is known. */
export function readStatus(status: string): SubscriptionStatus {
  const known = SubscriptionStatus[status.toUpperCase() as keyof typeof SubscriptionStatus];
  if (known === undefined)
    throw new Error(`Stripe has a state of subscriptions that is not known here: ${status}`);
  return known;
}
