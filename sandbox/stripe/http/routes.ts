import { accountOperations } from '../account/account.js';
import { couponOperations } from '../catalogue/coupon.js';
import { priceOperations } from '../catalogue/price.js';
import { productOperations } from '../catalogue/product.js';
import { taxRateOperations } from '../catalogue/tax-rate.js';
import { checkoutOperations } from '../checkout/session.js';
import { creditNoteOperations } from '../credit-note/credit-note.js';
import { customerOperations } from '../customer/customer.js';
import { paymentMethodOperations } from '../customer/payment-method.js';
import { disputeOperations } from '../dispute/dispute.js';
import { invoiceItemOperations } from '../invoice/items.js';
import { invoiceOperations } from '../invoice/operations.js';
import { chargeOperations } from '../payment/charge.js';
import { paymentIntentOperations } from '../payment/operations.js';
import { portalOperations } from '../portal/session.js';
import { refundOperations } from '../refund/refund.js';
import { scheduleOperations } from '../schedule/operations.js';
import { subscriptionOperations } from '../subscription/operations.js';
import { testClockOperations } from '../time/test-clock.js';
import { webhookOperations } from '../webhook/operations.js';
import type { Operation } from './operation.js';

/** Every call that is served. */
export const operations: readonly Operation[] = [
  ...accountOperations,
  ...customerOperations,
  ...paymentMethodOperations,
  ...productOperations,
  ...priceOperations,
  ...couponOperations,
  ...taxRateOperations,
  ...subscriptionOperations,
  ...scheduleOperations,
  ...invoiceOperations,
  ...invoiceItemOperations,
  ...paymentIntentOperations,
  ...chargeOperations,
  ...refundOperations,
  ...disputeOperations,
  ...creditNoteOperations,
  ...checkoutOperations,
  ...portalOperations,
  ...testClockOperations,
  ...webhookOperations,
];

interface Route {
  operation: Operation;
  parts: readonly string[];
}

const routes: readonly Route[] = operations.map((operation) => ({
  operation,
  parts: operation.path.split('/'),
}));

/** The operation at a path, and the parts of the path that it names. Words win over names. */
export function routeOf(
  method: string,
  path: string,
): { operation: Operation; path: Record<string, string> } | undefined {
  const parts = path.replace(/\/$/, '').split('/');
  const found = routes
    .filter((route) => route.operation.method === method && fits(route.parts, parts))
    .toSorted((a, b) => named(a) - named(b))[0];
  if (!found) return undefined;
  const values = found.parts.flatMap((part, index) =>
    part.startsWith(':') ? [[part.slice(1), decodeURIComponent(parts[index] ?? '')] as const] : [],
  );
  return { operation: found.operation, path: Object.fromEntries(values) };
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => (part.startsWith(':') ? parts[index] !== '' : part === parts[index]))
  );
}

const named = ({ parts }: Route): number => parts.filter((part) => part.startsWith(':')).length;
