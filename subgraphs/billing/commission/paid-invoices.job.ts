import type { JobDefinition, JobPayload } from '#platform/jobs/job.js';

import { partnerTerms } from '../partner/partner-terms.service.js';
import { hadProvider } from '../partner/provider-period.service.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { takeTicket } from '../subscription/subscription.store.service.js';
import { paidInvoicesKind } from './paid-invoices.kind.js';
import { fetchPaidInvoices, tellPaidInvoices } from './paid-invoices.service.js';
import { fetchReturned, isNewest, knownReturned, tellReturned } from './returned-money.service.js';

/** Tells of what a partner's customer has paid since it was looked at last, and of what it got back. */
export function paidInvoicesJob(stripe: StripeSource): JobDefinition<JobPayload> {
  return {
    ...paidInvoicesKind,
    async handle(step) {
      const { tenantId } = step.payload;
      const isFormer = async () => (await hadProvider(step.em, [tenantId])).has(tenantId);
      if (!(await partnerTerms(step.em)) && !(await isFormer())) return;
      const [row] = await step.em.execute<{ customer: string | null; since: Date | string | null }[]>(
        'select customer_id as customer, invoices_from as since from billing.subscription where tenant_id = ?',
        [tenantId],
      );
      if (!row || row.customer === null) return;
      const { paid, from } = await fetchPaidInvoices(
        stripe(),
        row.customer,
        row.since === null ? null : new Date(row.since),
      );
      // What was paid is booked, whether or not what went back can be read.
      await step.write(async ({ em, publish }) => {
        await tellPaidInvoices({ em, publish }, tenantId, paid);
        await em.execute('update billing.subscription set invoices_from = ? where tenant_id = ?', [
          from,
          tenantId,
        ]);
      });
      const ticket = await takeTicket(step.em, tenantId);
      const known = await knownReturned(step.em, tenantId);
      const returned = await fetchReturned(stripe(), row.customer, known, step.now);
      await step.write(async ({ em, publish }) => {
        if (await isNewest(em, tenantId, ticket)) await tellReturned({ em, publish }, tenantId, returned);
      });
    },
  };
}
