import { registerEnumType } from 'type-graphql';

import { isLiveKey } from '../account/known-account.js';
import type { BillingEnv } from '../env.js';

/** Whether money moves. */
export enum PaymentMode {
  NONE = 'NONE',
  TEST = 'TEST',
  LIVE = 'LIVE',
}

registerEnumType(PaymentMode, {
  name: 'PaymentMode',
  description: 'Whether plans can be bought, and whether money moves then.',
  valuesConfig: {
    NONE: { description: 'The panel has no payment provider: nothing can be bought.' },
    TEST: {
      description:
        'A test key of the payment provider, or a stand-in for it: all goes its way, and no money moves.',
    },
    LIVE: { description: 'What is bought is paid.' },
  },
});

/** By the key: the stand-in's are test keys as well. */
export function paymentModeOf({ STRIPE_SECRET_KEY: key }: BillingEnv): PaymentMode {
  if (key === undefined) return PaymentMode.NONE;
  return isLiveKey(key) ? PaymentMode.LIVE : PaymentMode.TEST;
}
