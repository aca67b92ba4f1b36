import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type PageArgs } from '#platform/subgraph/paging.js';

import type { PartnerService } from '../partner/partner.service.js';
import { Commission, CommissionPage, type CommissionTotal } from './commission.entity.js';

/** What partners earn. */
export class CommissionService {
  constructor(private readonly partners: PartnerService) {}

  /** Newest first: of one's own partner, of any for administrators. */
  async page(operation: Operation, partnerId: string, args: PageArgs): Promise<CommissionPage> {
    const window = pageWindow(args);
    const { tenantId } = await this.partners.get(operation, partnerId);
    const em = operation.database.forTenant(tenantId);
    const of = { tenantId, partnerId };
    const rows = await em.find(
      Commission,
      { ...of, ...(window.after === undefined ? {} : { id: { $lt: window.after } }) },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    const page = toPage(rows, window, () => em.count(Commission, of));
    const readTotals = async (): Promise<CommissionTotal[]> => {
      const sums = await em.execute<Record<keyof CommissionTotal, string>[]>(
        `select currency, sum(amount_paid) as "amountPaid",
           sum(coalesce(net_amount, amount_paid)) as "amountNet", sum(amount) as amount from billing.commission
         where tenant_id = ? and partner_id = ? group by currency order by currency`,
        [tenantId, partnerId],
      );
      return sums.map(({ currency, amountPaid, amountNet, amount }) => ({
        currency,
        amountPaid: Number(amountPaid),
        amountNet: Number(amountNet),
        amount: Number(amount),
      }));
    };
    return Object.assign(new CommissionPage(), page, { readTotals });
  }
}
