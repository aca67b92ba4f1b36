import { Authorized, Ctx, FieldResolver, Float, Int, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { SummaryService } from '../summary/summary.service.js';
import { storageUsed } from './storage.service.js';
import {
  BillingSubscriptionReference,
  NodeUsageReference,
  StorageUsageReference,
} from './usage.reference.js';

/*
 * Counts that billing's own answers show: whoever may read those may have them, and by no other way are they to be had.
 * They need no permission of this area, so that an answer to who may read or change a plan has no hole.
 */
@Resolver(() => BillingSubscriptionReference)
export class SubscriptionUseResolver {
  constructor(private readonly summaries: SummaryService) {}

  @Authorized()
  @FieldResolver(() => Int, {
    description:
      'How many instances the tenant has now, as fleet counts them: while that is away the whole subscription is null, with ' +
      'an error. `tenant { usage }` tells the same, and alone is null then.',
  })
  async instancesUsed(@Ctx() { operation }: SubgraphContext): Promise<number> {
    return (await this.summaries.summary(operation)).totalInstances;
  }
}

@Resolver(() => NodeUsageReference)
export class NodeUseResolver {
  constructor(private readonly summaries: SummaryService) {}

  @Authorized()
  @FieldResolver(() => Int, { description: 'How many instances the tenant has now.' })
  async used(@Ctx() { operation }: SubgraphContext): Promise<number> {
    return (await this.summaries.summary(operation)).totalInstances;
  }
}

@Resolver(() => StorageUsageReference)
export class StorageUseResolver {
  @Authorized()
  @FieldResolver(() => Float, { description: 'How many GB its instances store, by what each reported last.' })
  async used(@Ctx() { operation }: SubgraphContext): Promise<number> {
    return storageUsed(operation);
  }
}
