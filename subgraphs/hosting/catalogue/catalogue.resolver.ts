import { Args, ArgsType, Authorized, Ctx, Field, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Region, Size } from './catalogue.js';
import type { CatalogueService } from './catalogue.service.js';

const fresh = 'As the provider tells, a few minutes old at most; while it is away, as it last told.';

@ArgsType()
class RegionsArgs {
  @Field(() => String, { nullable: true, description: 'Only of this provider.' })
  provider?: string | null;
}

@ArgsType()
class SizesArgs extends RegionsArgs {
  @Field(() => String, { nullable: true, description: 'Only those that are sold in this region or zone.' })
  region?: string | null;
}

@Resolver()
export class CatalogueResolver {
  constructor(private readonly catalogue: CatalogueService) {}

  @Authorized('hosting.provider.read')
  @Query(() => [Region], {
    description: `Where the tenant's providers have servers. ${fresh} BAD_REQUEST for an unknown provider.`,
  })
  async hostingRegions(
    @Args(() => RegionsArgs) { provider }: RegionsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Region[]> {
    return this.catalogue.regions(operation, provider);
  }

  @Authorized('hosting.provider.read')
  @Query(() => [Size], {
    description: `What the tenant's providers rent out. ${fresh} BAD_REQUEST for an unknown provider.`,
  })
  async hostingSizes(
    @Args(() => SizesArgs) { provider, region }: SizesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Size[]> {
    return this.catalogue.sizes(operation, provider, region);
  }
}
