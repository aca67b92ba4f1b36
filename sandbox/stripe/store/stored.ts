import type Stripe from 'stripe';

/**
 * A resource of the SDK's types as it is stored and sent unexpanded: what may be expanded is an id, decimals are text.
 * It is read-only all the way down, since a change is a new object that the store can take back.
 */
export type Stored<T> = [Extract<T, { id: string }>] extends [never]
  ? Plain<T>
  : string extends Extract<T, string>
    ? string | Extract<T, null | undefined>
    : Plain<T>;

type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Stripe.Decimal
    ? string
    : T extends readonly (infer Element)[]
      ? readonly Stored<Element>[]
      : T extends object
        ? { readonly [Key in keyof T]: Stored<T[Key]> }
        : T;

export type Customer = Stored<Stripe.Customer>;
export type Product = Stored<Stripe.Product>;
export type Price = Stored<Stripe.Price>;
export type Coupon = Stored<Stripe.Coupon>;
export type TaxRate = Stored<Stripe.TaxRate>;
export type Discount = Stored<Stripe.Discount>;
export type PaymentMethod = Stored<Stripe.PaymentMethod>;
export type PaymentIntent = Stored<Stripe.PaymentIntent>;
export type Subscription = Stored<Stripe.Subscription>;
export type SubscriptionItem = Stored<Stripe.SubscriptionItem>;
export type SubscriptionSchedule = Stored<Stripe.SubscriptionSchedule>;
export type SchedulePhase = Stored<Stripe.SubscriptionSchedule.Phase>;
export type Invoice = Stored<Stripe.Invoice>;
export type InvoiceLine = Stored<Stripe.InvoiceLineItem>;
export type InvoiceItem = Stored<Stripe.InvoiceItem>;
export type InvoicePayment = Stored<Stripe.InvoicePayment>;
export type Charge = Stored<Stripe.Charge>;
export type Refund = Stored<Stripe.Refund>;
export type Dispute = Stored<Stripe.Dispute>;
export type CreditNote = Stored<Stripe.CreditNote>;
export type CheckoutSession = Stored<Stripe.Checkout.Session>;
export type PortalSession = Stored<Stripe.BillingPortal.Session>;
export type TestClock = Stored<Stripe.TestHelpers.TestClock>;
export type WebhookEndpoint = Stored<Stripe.WebhookEndpoint>;

/** An event holds a resource as it was, so its object is not followed any further. */
export interface Event {
  readonly id: string;
  readonly object: 'event';
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: object; readonly previous_attributes?: object };
  readonly livemode: false;
  readonly pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: EventType;
}

export type EventType = Exclude<Stripe.Event.Type, never>;

/** What is known of a checkout session's subscription before there is one; clients do not see it. */
export interface CheckoutPlan {
  readonly id: string;
  readonly object: 'checkout_plan';
  readonly data: object;
}

/** Every kind of resource that is kept, by the word in its `object`. */
export interface Tables {
  customer: Customer;
  product: Product;
  price: Price;
  coupon: Coupon;
  discount: Discount;
  tax_rate: TaxRate;
  payment_method: PaymentMethod;
  payment_intent: PaymentIntent;
  subscription: Subscription;
  subscription_schedule: SubscriptionSchedule;
  invoice: Invoice;
  invoiceitem: InvoiceItem;
  invoice_payment: InvoicePayment;
  charge: Charge;
  refund: Refund;
  dispute: Dispute;
  credit_note: CreditNote;
  'checkout.session': CheckoutSession;
  'billing_portal.session': PortalSession;
  'test_helpers.test_clock': TestClock;
  webhook_endpoint: WebhookEndpoint;
  event: Event;
  checkout_plan: CheckoutPlan;
}

export type TableName = keyof Tables;
export type Resource = Tables[TableName];
