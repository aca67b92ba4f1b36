import { Args, Authorized, Ctx, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { Invoice, InvoicePage } from './invoice.js';
import type { InvoiceService } from './invoice.service.js';

@Resolver(() => Invoice)
export class InvoiceResolver {
  constructor(private readonly service: InvoiceService) {}

  @Authorized('billing.invoice.read')
  @Query(() => InvoicePage, {
    description:
      "The tenant's invoices, newest first, 500 at most; drafts are not shown. They are asked for once a minute. While the " +
      'payment provider is away they are shown as they were, with their age; UNAVAILABLE (STRIPE_AWAY) when they were never had.',
  })
  async invoices(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Invoice> & { ageSeconds: number; warning: string | null }> {
    return this.service.page(operation, args);
  }
}
