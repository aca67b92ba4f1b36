import { Authorized, Ctx, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { FleetSummary } from './fleet-summary.js';
import type { SummaryService } from './summary.service.js';

@Resolver()
export class SummaryResolver {
  constructor(private readonly summaries: SummaryService) {}

  @Authorized('fleet.instance.read')
  @Query(() => FleetSummary, { description: "The tenant's fleet in numbers, as of now." })
  async fleetSummary(@Ctx() { operation }: SubgraphContext): Promise<FleetSummary> {
    return this.summaries.summary(operation);
  }
}
