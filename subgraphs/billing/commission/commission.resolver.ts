import { Arg, Args, Authorized, Ctx, ID, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs } from '#platform/subgraph/paging.js';

import { Commission, CommissionPage } from './commission.entity.js';
import type { CommissionService } from './commission.service.js';

@Resolver(() => Commission)
export class CommissionResolver {
  constructor(private readonly service: CommissionService) {}

  @Authorized('billing.commission.read')
  @Query(() => CommissionPage, {
    description:
      "What a partner earned: one entry for each invoice that it or a client of it paid while it was approved, and one for each refund of these, newest first. The tenant's own; any for platform administrators. NOT_FOUND.",
  })
  async commissions(
    @Arg('partnerId', () => ID, { description: 'The partner.' }) partnerId: string,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CommissionPage> {
    return this.service.page(operation, partnerId, args);
  }
}
