import type Stripe from 'stripe';

import type { Logger } from '#platform/logger.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { foreignCursor, pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { asInt } from '../money/minor-units.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { failureOf, isAway } from '../stripe/stripe-errors.js';
import { within } from '../stripe/within.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import { InvoiceStatus, type Invoice } from './invoice.js';

const freshMs = 60_000;
/** How long Stripe is waited for where something is kept; a gateway waits 10 s. */
const patienceMs = 4_000;
/** For how long everybody is shown what is kept after it did not answer. */
const awayMs = 30_000;
/** The newest of a tenant; forty years of monthly ones. */
const mostInvoices = 500;
const stale = '110 - "Response is Stale"';

/** Amounts as they are, however large. */
type KeptInvoice = Omit<Invoice, 'amountDueExact' | 'amountCreditedExact'>;

/** Out of JSON times come as text. */
type StoredInvoice = Omit<KeptInvoice, 'date' | 'periodStart' | 'periodEnd' | 'amountCredited'> &
  Record<'date' | 'periodStart' | 'periodEnd', string> & { amountCredited?: number };

interface Kept {
  fetchedAt: Date;
  invoices: KeptInvoice[];
}

/** Invoices as Stripe has them, asked for once a minute at most for each tenant, and shown as they were while it is away. */
export class InvoiceService {
  /** Those that are being asked for, by tenant. */
  private readonly asked = new Map<string, Promise<Kept>>();
  private awayUntil = 0;

  constructor(
    private readonly stripe: StripeSource,
    private readonly logger: Logger,
  ) {}

  async page(
    operation: Operation,
    args: PageArgs,
  ): Promise<Page<Invoice> & { ageSeconds: number; warning: string | null }> {
    const window = pageWindow(args);
    const { kept, isStale } = await this.newest(operation);
    const before = kept.invoices.findIndex(({ id }) => id === window.after);
    // The first page again would count its invoices twice.
    if (window.after !== undefined && before < 0) throw foreignCursor();
    const from = before + 1;
    const page = toPage(kept.invoices.slice(from, from + window.size + 1).map(shownOf), window, () =>
      Promise.resolve(kept.invoices.length),
    );
    const ageMs = operation.clock.now().getTime() - kept.fetchedAt.getTime();
    return { ...page, ageSeconds: Math.max(0, Math.floor(ageMs / 1000)), warning: isStale ? stale : null };
  }

  private async newest(operation: Operation): Promise<{ kept: Kept; isStale: boolean }> {
    const { em, tenantId, clock } = operation;
    const { customerId } = await readSubscription(em, tenantId);
    if (customerId === null) return { kept: { fetchedAt: clock.now(), invoices: [] }, isStale: false };
    const known = await read(operation);
    const now = clock.now().getTime();
    if (known && now - known.fetchedAt.getTime() < freshMs) return { kept: known, isStale: false };
    if (known && now < this.awayUntil) return { kept: known, isStale: true };
    try {
      const asked = this.fetchOnce(operation, customerId);
      return { kept: await (known ? within(patienceMs, asked) : asked), isStale: false };
    } catch (error) {
      const failure = failureOf(error);
      if (!known || (!failure && !isAway(error))) throw failure?.error ?? error;
      if (!failure?.isFinal) this.awayUntil = now + awayMs;
      this.logger.warn({ err: error, tenantId }, 'invoices are shown as they were: Stripe did not answer');
      return { kept: known, isStale: true };
    }
  }

  /** Whoever asks while somebody asks waits for that answer. */
  private async fetchOnce(operation: Operation, customerId: string): Promise<Kept> {
    const { tenantId } = operation;
    const underWay = this.asked.get(tenantId);
    if (underWay) return underWay;
    const asking = this.fetch(operation, customerId).finally(() => this.asked.delete(tenantId));
    this.asked.set(tenantId, asking);
    return asking;
  }

  private async fetch({ database, tenantId, clock }: Operation, customer: string): Promise<Kept> {
    const fetchedAt = clock.now();
    const invoices: KeptInvoice[] = [];
    for await (const invoice of this.stripe().invoices.list({ customer, limit: 100 })) {
      const shown = invoiceOf(invoice);
      if (shown) invoices.push(shown);
      if (invoices.length === mostInvoices) break;
    }
    await database.forTenant(tenantId).execute(
      `insert into billing.invoice_cache as c (tenant_id, fetched_at, invoices) values (?, ?, ?::jsonb)
       on conflict (tenant_id) do update set fetched_at = excluded.fetched_at, invoices = excluded.invoices
       where c.fetched_at <= excluded.fetched_at`,
      [tenantId, fetchedAt, JSON.stringify(invoices)],
    );
    return { fetchedAt, invoices };
  }
}

async function read({ em, tenantId }: Operation): Promise<Kept | undefined> {
  const [row] = await em.execute<{ fetchedAt: string; invoices: StoredInvoice[] }[]>(
    `select fetched_at as "fetchedAt", invoices from billing.invoice_cache where tenant_id = ?`,
    [tenantId],
  );
  if (!row) return undefined;
  const invoices = row.invoices.map((each) => ({
    ...each,
    // Those that were kept before it was.
    amountCredited: each.amountCredited ?? 0,
    date: new Date(each.date),
    periodStart: new Date(each.periodStart),
    periodEnd: new Date(each.periodEnd),
  }));
  return { fetchedAt: new Date(row.fetchedAt), invoices };
}

function shownOf(kept: KeptInvoice): Invoice {
  const { amountDue, amountCredited } = kept;
  return {
    ...kept,
    amountDue: asInt(amountDue),
    amountDueExact: amountDue,
    amountCredited: asInt(amountCredited),
    amountCreditedExact: amountCredited,
  };
}

/** Undefined for drafts, which are nobody's to pay yet. */
function invoiceOf(invoice: Stripe.Invoice): KeptInvoice | undefined {
  const status = InvoiceStatus[(invoice.status ?? '').toUpperCase() as keyof typeof InvoiceStatus];
  if (status === undefined) return undefined;
  const { start, end } = periodOf(invoice);
  return {
    id: invoice.id,
    number: invoice.number,
    date: new Date(invoice.created * 1000),
    periodStart: new Date(start * 1000),
    // Stripe's end is the beginning of the next period.
    periodEnd: new Date((end > start ? end - 1 : end) * 1000),
    amountDue: invoice.amount_due,
    amountCredited: invoice.post_payment_credit_notes_amount,
    currency: invoice.currency,
    status,
    pdfUrl: invoice.invoice_pdf ?? null,
  };
}

/** That of its lines: an invoice's own period is the one before, in which things to be billed were gathered. */
function periodOf({ lines, period_start: from, period_end: to }: Stripe.Invoice): {
  start: number;
  end: number;
} {
  const periods = lines.data
    .filter(({ parent }) => parent?.subscription_item_details && !parent.subscription_item_details.proration)
    .map(({ period }) => period);
  const [last] = periods.toSorted((a, b) => b.end - a.end);
  return last ?? { start: from, end: to };
}
