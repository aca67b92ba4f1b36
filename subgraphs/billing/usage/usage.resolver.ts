import { Authorized, Ctx, Query, Resolver } from 'type-graphql';

import type { Entitlement } from '#platform/entitlement/entitlement.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { NodeUsage, StorageUsage, Usage, UserUsage } from './usage.js';

@Resolver(() => Usage)
export class UsageResolver {
  constructor(private readonly entitlements: Entitlements) {}

  @Authorized('billing.usage.read')
  @Query(() => Usage, { description: 'What the tenant uses of its plan.' })
  async usage(@Ctx() { operation }: SubgraphContext): Promise<Usage> {
    return usageOf(operation, await this.entitlements.of(operation));
  }
}

/** The limits; how much is used is known to the areas that own it. */
export function usageOf({ tenantId }: Operation, { limits }: Entitlement): Usage {
  const limit = (name: string): number | null => (limits[name] === undefined ? 0 : limits[name]);
  return {
    nodes: Object.assign(new NodeUsage(), { tenantId, limit: limit('instances') }),
    users: Object.assign(new UserUsage(), { tenantId, limit: limit('users') }),
    storage: Object.assign(new StorageUsage(), { tenantId, limit: limit('storageGb') }),
  };
}
