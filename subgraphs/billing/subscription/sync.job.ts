import type { JobDefinition, JobPayload, JobStep } from '#platform/jobs/job.js';
import type { Sweep } from '#platform/membership/sweep.js';
import { auditEvent } from '#platform/subgraph/audit.js';

import { paidInvoicesKind } from '../commission/paid-invoices.kind.js';
import { applyDiscountKind } from '../partner/discount.kind.js';
import { couponFor, partnerTerms } from '../partner/partner-terms.service.js';
import { isJust } from '../stripe/partner-discount.js';
import { fetchSnapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { endSurplus } from '../stripe/surplus.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { applySnapshot, reconcileMs } from './apply.js';
import { accessOf } from './subscription.status.js';
import { beginLook, endLook, lockSubscription } from './subscription.store.service.js';
import { syncKind } from './sync-request.service.js';

/**
 * Makes a tenant's subscription what Stripe says. What a webhook told is not looked at: the object is asked for, so that
 * neither the order of webhooks nor how often each comes matters.
 */
export function syncJob(stripe: StripeSource, times: TenantTime): JobDefinition<JobPayload> {
  return {
    ...syncKind,
    async handle(step) {
      const { tenantId } = step.payload;
      if (await times.isOnItsWay(step.em, tenantId)) return;
      const look = await beginLook(step.em, tenantId);
      if (!look) return;
      const snapshot = await fetchSnapshot(stripe(), look.customerId).catch(async (error: unknown) => {
        // The next webhook asks anew; until then reconciling does.
        if (step.isLastAttempt) await forgetRequest(step);
        throw error;
      });
      await step.write(async ({ em, publish, enqueue }) => {
        const row = await lockSubscription(em, tenantId);
        const at = await times.at(em, tenantId, step.now);
        applySnapshot(row, snapshot, { ticket: look.ticket, now: step.now, at, publish });
        await em.flush();
        // As they are now: a tier that came while Stripe was asked has asked for this look in vain.
        const terms = await partnerTerms(em);
        if (
          snapshot &&
          accessOf[snapshot.status].isLive &&
          !isJust(snapshot.partnerCoupons, couponFor(terms))
        )
          enqueue(applyDiscountKind, { tenantId });
        // By a job of its own: the plan does not wait for them.
        if (terms) enqueue(paidInvoicesKind, { tenantId });
        // Something was told while Stripe was asked.
        if (!(await endLook(em, tenantId, look, step.now))) enqueue(syncKind, { tenantId });
      });
      for (const id of snapshot?.surplus ?? []) {
        if (!(await endSurplus(stripe(), id))) continue;
        await step.write(async ({ publish }) =>
          publish(
            auditEvent(
              { name: 'endSurplusSubscription', args: {} },
              {
                tenantId,
                target: id,
                actor: 'svc:billing',
                actorKind: 'service',
                clientAddress: '',
                changes: { kept: snapshot?.stripeId },
              },
            ),
          ),
        );
      }
    },
  };
}

async function forgetRequest({ em, payload }: JobStep<JobPayload>): Promise<void> {
  await em.execute('delete from billing.sync_request where tenant_id = ?', [payload.tenantId]);
}

const tenantsAtOnce = 200;
/** A job that is asked for and not done by then was given up, or lost with its queue. */
const lateMs = 60 * 60 * 1000;

/**
 * Asks for subscriptions without a webhook: each once an hour, so that what a lost webhook told is made good, and those
 * whose job was given up during an outage.
 */
export const reconcileSweep: Sweep = {
  name: 'subscription.reconcile',
  everyMs: 30_000,
  async run({ em, now, enqueue }) {
    const due = await em.execute<{ tenantId: string }[]>(
      `update billing.subscription set reconcile_at = ? where tenant_id in (
         select tenant_id from billing.subscription where reconcile_at <= ? order by reconcile_at limit ?
       ) returning tenant_id as "tenantId"`,
      [new Date(now.getTime() + reconcileMs), now, tenantsAtOnce],
    );
    for (const { tenantId } of due) {
      const [row] = await em.execute<{ wanted: string; isLate: boolean }[]>(
        `insert into billing.sync_request as r (tenant_id, wanted_at) values (?, ?)
         on conflict (tenant_id) do update set wanted = r.wanted + 1,
           wanted_at = case when r.wanted_at <= ? then excluded.wanted_at else r.wanted_at end
         returning wanted, wanted_at = ? as "isLate"`,
        [tenantId, now, new Date(now.getTime() - lateMs), now],
      );
      if (row?.isLate) enqueue(syncKind, { tenantId });
    }
    return due.length === tenantsAtOnce ? 'more' : 'done';
  },
};
