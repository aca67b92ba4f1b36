import { LockMode } from '@mikro-orm/core';

import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { currentPatience, withPatience } from '#platform/database/patience.js';
import { systemEm, systemStatement } from '#platform/database/system-em.js';
import { JobBatch } from '#platform/jobs/enqueue.js';
import { appendToOutbox, type OutboxEvent } from '#platform/outbox/outbox.js';

import { paidInvoicesKind } from '../commission/paid-invoices.kind.js';
import { applyDiscountKind } from '../partner/discount.kind.js';
import { couponFor, partnerTermsOf } from '../partner/partner-terms.service.js';
import { hadProvider } from '../partner/provider-period.service.js';
import { isJust } from '../stripe/partner-discount.js';
import { digestOf, fetchSnapshot, type Snapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { within } from '../stripe/within.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { applySnapshot, reconcileMs } from './apply.js';
import { endClosedKind } from './closed-tenant.kind.js';
import { beginLooksSql, endAlikeSql, endLooksSql } from './look.sql.js';
import { BillingSubscription } from './subscription.entity.js';
import { accessOf } from './subscription.status.js';
import { endSurplusKind } from './surplus.kind.js';
import { isCollectionWrong } from './suspended-tenant.job.js';
import { collectSuspendedKind } from './suspended-tenant.kind.js';

/** What became of a look. */
export type Looked = 'DONE' | /** Something was told while it went on. */ 'AGAIN' | { error: unknown };

interface Look {
  tenantId: string;
  customerId: string;
  ticket: string;
  /** The last time that it was asked for; null when nobody did. */
  asked: string | null;
  /** By the database's clock: what was told before is part of what will be seen. */
  at: string;
}

interface Seen {
  look: Look;
  snapshot: Snapshot | undefined;
}

interface Ended {
  tenantId: string;
  again: boolean;
}

/** Stripe limits how many requests of an account are under way, whoever makes them. */
const askedAtOnce = 16;
/** A process that freezes while it applies looks must not hold the rows of so many for longer. */
const frozenMs = 5_000;

/**
 * Makes subscriptions what Stripe says, those of several tenants together: what a webhook told is not looked at, the object
 * is asked for. Runs as whoever may see all tenants, since a burst of webhooks is of many; what it writes of one is what
 * Stripe says of that one's customer.
 */
export class Looks {
  constructor(
    private readonly database: Database,
    private readonly stripe: StripeSource,
    private readonly times: TenantTime,
    private readonly clock: Clock,
    /** Whether tenants that are suspended go on being charged. */
    private readonly chargesSuspended: boolean,
  ) {}

  /**
   * Tenants without a customer, and those whose test clock is on its way, are left out. With `withinMs` a look that Stripe
   * has not answered by then has failed, so that the others need not wait for it. Safe to repeat.
   */
  async look(
    tenantIds: readonly string[],
    causedBy: string,
    withinMs?: number,
  ): Promise<Map<string, Looked>> {
    const outcomes = new Map<string, Looked>();
    const seen = await this.ask(await this.begin(tenantIds), outcomes, withinMs);
    const alike = await this.endAlike(seen.filter(isQuiet), outcomes);
    const others = seen.filter(({ look }) => !alike.has(look.tenantId));
    if (others.length > 0) await this.apply(others, causedBy, outcomes);
    return outcomes;
  }

  private async begin(tenantIds: readonly string[]): Promise<Look[]> {
    const onTheirWay = await this.times.onTheirWay(systemEm(this.database), tenantIds);
    const wanted = JSON.stringify(tenantIds.filter((id) => !onTheirWay.has(id)));
    return systemStatement<Look>(this.database, beginLooksSql, [wanted]);
  }

  private async ask(
    looks: readonly Look[],
    outcomes: Map<string, Looked>,
    withinMs: number | undefined,
  ): Promise<Seen[]> {
    const seen: Seen[] = [];
    const open = [...looks];
    const next = async () => {
      for (let look = open.shift(); look; look = open.shift()) {
        try {
          seen.push({ look, snapshot: await this.fetch(look, withinMs) });
        } catch (error) {
          outcomes.set(look.tenantId, { error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, open.length) }, next));
    return seen;
  }

  private async fetch({ customerId }: Look, withinMs: number | undefined): Promise<Snapshot | undefined> {
    if (withinMs === undefined) return fetchSnapshot(this.stripe(), customerId);
    return within(
      withinMs,
      fetchSnapshot(this.stripe(), customerId, { timeout: withinMs, maxNetworkRetries: 0 }),
    );
  }

  private async endAlike(seen: readonly Seen[], outcomes: Map<string, Looked>): Promise<Set<string>> {
    if (seen.length === 0) return new Set();
    const now = this.clock.now();
    const due = new Date(now.getTime() + reconcileMs);
    const values = [rowsOf(seen), now, due, now, now];
    const ended = await systemStatement<Ended>(this.database, endAlikeSql, values);
    note(ended, outcomes);
    return new Set(ended.map(({ tenantId }) => tenantId));
  }

  private async apply(seen: readonly Seen[], causedBy: string, outcomes: Map<string, Looked>): Promise<void> {
    const now = this.clock.now();
    const events: OutboxEvent[] = [];
    const ended = await withPatience({ ...currentPatience(), idleInTransaction: frozenMs }, async () =>
      systemEm(this.database).transactional(async (em) => {
        const jobs = new JobBatch();
        await this.applyAll(em, seen, { now, publish: (event) => events.push(event), jobs });
        await em.flush();
        await appendToOutbox(em, this.database.area, events, { requestId: causedBy, at: now });
        const all = await em.execute<Ended[]>(endLooksSql, [rowsOf(seen), now, now]);
        await jobs.send(em, this.database.area, { requestId: causedBy });
        return all;
      }),
    );
    this.database.announce(events);
    note(ended, outcomes);
  }

  private async applyAll(
    em: SqlEntityManager,
    seen: readonly Seen[],
    { now, publish, jobs }: { now: Date; publish: (event: OutboxEvent) => void; jobs: JobBatch },
  ): Promise<void> {
    const ids = seen.map(({ look }) => look.tenantId);
    const rows = await em.find(
      BillingSubscription,
      { tenantId: { $in: ids } },
      { orderBy: { tenantId: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    const rowOf = new Map(rows.map((row) => [row.tenantId, row]));
    const ahead = await this.times.ahead(em, ids);
    // As they are now: a tier that came while Stripe was asked has asked for this look in vain.
    const termsOf = await partnerTermsOf(em, ids);
    const former = await hadProvider(em, ids);
    for (const { look, snapshot } of seen) {
      const { tenantId } = look;
      const row = rowOf.get(tenantId);
      // Erased meanwhile.
      if (!row) continue;
      const at = new Date(now.getTime() + (ahead.get(tenantId) ?? 0));
      applySnapshot(row, snapshot, { ticket: Number(look.ticket), now, at, publish });
      const terms = termsOf.get(tenantId);
      const isLive = snapshot && accessOf[snapshot.status].isLive;
      if (isLive && !isJust(snapshot.partnerCoupons, couponFor(terms)))
        jobs.enqueue(applyDiscountKind, { tenantId });
      // By jobs of their own: the plan does not wait for them.
      if (terms || former.has(tenantId)) jobs.enqueue(paidInvoicesKind, { tenantId });
      if (snapshot && snapshot.surplus.length > 0) jobs.enqueue(endSurplusKind, { tenantId });
      if (isLive && row.closedAt) jobs.enqueue(endClosedKind, { tenantId });
      if (isLive && isCollectionWrong(row, snapshot, this.chargesSuspended))
        jobs.enqueue(collectSuspendedKind, { tenantId });
    }
  }
}

/** Of whom nothing is to be done where nothing is new. */
const isQuiet = ({ snapshot }: Seen): boolean =>
  !snapshot ||
  (snapshot.partnerCoupons.length === 0 && snapshot.surplus.length === 0 && snapshot.paused !== 'HERE');

function rowsOf(seen: readonly Seen[]): string {
  return JSON.stringify(
    seen.map(({ look: { tenantId, ticket, at, asked }, snapshot }) => ({
      tenantId,
      ticket,
      at,
      asked,
      seen: snapshot ? digestOf(snapshot) : null,
    })),
  );
}

function note(ended: readonly Ended[], outcomes: Map<string, Looked>): void {
  for (const { tenantId, again } of ended) outcomes.set(tenantId, again ? 'AGAIN' : 'DONE');
}
