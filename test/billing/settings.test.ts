import { expect, test } from 'vitest';

import { billingEnv } from '#subgraphs/billing/env.js';

const key = (kind: string) => ['sk', kind, 'x'.repeat(8)].join('_');

test('clocks for tests need a test key of Stripe, and are refused with a live one or none', () => {
  expect(billingEnv({ TEST_CLOCKS: 'true', STRIPE_SECRET_KEY: key('test') }).TEST_CLOCKS).toBe(true);
  const sentence = 'TEST_CLOCKS: needs a test key of Stripe, which begins with sk_test_ or rk_test_';
  for (const STRIPE_SECRET_KEY of [undefined, key('live')])
    expect(() => billingEnv({ TEST_CLOCKS: 'true', STRIPE_SECRET_KEY })).toThrow(sentence);
  expect(billingEnv({ STRIPE_SECRET_KEY: key('live') }).TEST_CLOCKS).toBe(false);
});
