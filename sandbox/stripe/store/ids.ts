import { randomBytes } from 'node:crypto';

import type { TableName } from './stored.js';

const prefixes: Record<TableName, string> = {
  customer: 'cus_',
  product: 'prod_',
  price: 'price_1',
  coupon: '',
  discount: 'di_1',
  tax_rate: 'txr_1',
  payment_method: 'pm_1',
  payment_intent: 'pi_3',
  subscription: 'sub_1',
  subscription_schedule: 'sub_sched_1',
  invoice: 'in_1',
  invoiceitem: 'ii_1',
  invoice_payment: 'inpay_1',
  charge: 'ch_3',
  refund: 're_3',
  dispute: 'du_1',
  credit_note: 'cn_1',
  'checkout.session': 'cs_test_a1',
  'billing_portal.session': 'bps_1',
  'test_helpers.test_clock': 'clock_1',
  webhook_endpoint: 'we_1',
  event: 'evt_1',
  checkout_plan: 'plan_1',
};

const shortOnes: Partial<Record<TableName, number>> = { customer: 14, product: 14, coupon: 8 };

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Text of digits and letters that nobody can guess. */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** An id of the length and look that Stripe gives resources of this kind. */
export function newId(table: TableName): string {
  return prefixes[table] + randomText(shortOnes[table] ?? 23);
}
