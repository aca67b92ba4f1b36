import { Authorized, Ctx, FieldResolver, Resolver } from 'type-graphql';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { InstanceCounts } from '../summary/fleet-summary.js';
import type { SummaryService } from '../summary/summary.service.js';
import { TenantReference } from './tenant.reference.js';

@Resolver(() => TenantReference)
export class TenantReferenceResolver {
  constructor(
    private readonly summaries: SummaryService,
    private readonly entitlements: Entitlements,
  ) {}

  @Authorized('fleet.instance.read')
  // Nullable: the answer to a sign-in names the tenant too, and there nobody is signed in yet as far as fleet knows.
  @FieldResolver(() => InstanceCounts, {
    nullable: true,
    description:
      "How many of the tenant's instances are in which status. Null, with an error, without the right to see them.",
  })
  async instanceCounts(@Ctx() { operation }: SubgraphContext): Promise<InstanceCounts> {
    const { totalInstances, healthy, degraded, offline } = await this.summaries.summary(operation);
    const { limits } = await this.entitlements.of(operation);
    const limit = limits['instances'] === undefined ? 0 : limits['instances'];
    return { total: totalInstances, limit, healthy, degraded, offline };
  }
}
