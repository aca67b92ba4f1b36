import { describe, expect, test } from 'vitest';

import { dueAt, dunningLadder, endOfGrace } from '#subgraphs/billing/dunning/dunning.ladder.js';
import { readLookupKey } from '#subgraphs/billing/package/packages.js';
import {
  accessOf,
  readStatus,
  SubscriptionStatus,
} from '#subgraphs/billing/subscription/subscription.status.js';

describe('what a state of a subscription gives', () => {
  test.for([
    ['trialing', true, 'NEVER'],
    ['active', true, 'NEVER'],
    ['past_due', true, 'AFTER_GRACE'],
    ['unpaid', true, 'AT_ONCE'],
    ['paused', true, 'AT_ONCE'],
    ['incomplete', false, 'NEVER'],
    ['incomplete_expired', false, 'NEVER'],
    ['canceled', false, 'NEVER'],
  ] as const)('%s: the plan %s, read-only %s', ([status, hasPlan, readOnly]) => {
    expect(accessOf[readStatus(status)]).toMatchObject({ hasPlan, readOnly });
  });

  test('every state of the table is one of the eight', () => {
    expect(Object.keys(accessOf).toSorted()).toEqual(Object.values(SubscriptionStatus).toSorted());
    expect(Object.keys(accessOf)).toHaveLength(8);
  });

  test('a state that nobody knows is not guessed at', () => {
    expect(() => readStatus('frozen')).toThrow('frozen');
  });
});

test('the ladder only goes up, ends read-only, and says when', () => {
  const days = dunningLadder.map(({ afterDays }) => afterDays);
  expect(days).toEqual(days.toSorted((a, b) => a - b));
  expect(dunningLadder.at(-1)?.isReadOnly).toBe(true);
  const since = new Date('2026-02-20T00:00:00Z');
  expect(endOfGrace(since)).toEqual(new Date('2026-03-06T00:00:00Z'));
  expect(dueAt(since, dunningLadder.length)).toBeNull();
});

test.for([
  ['quazzar_pro_monthly', { plan: 'PRO', cycle: 'MONTHLY' }],
  ['quazzar_enterprise_yearly', { plan: 'ENTERPRISE', cycle: 'YEARLY' }],
  ['quazzar_enterprise_yearly_acme', { plan: 'ENTERPRISE', cycle: 'YEARLY' }],
  ['quazzar_pro_monthlyx', undefined],
  ['quazzar_free_monthly', undefined],
  [null, undefined],
] as const)('the price %s is read as %o', ([key, expected]) => {
  expect(readLookupKey(key)).toEqual(expected);
});
