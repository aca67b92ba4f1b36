import { Args, ArgsType, Authorized, Ctx, Field, Query, Resolver } from 'type-graphql';

import type { Entitlement } from '#platform/entitlement/entitlement.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { UsageHistory, UsageMetric } from './usage-history.js';
import { usageHistory } from './usage-history.service.js';
import { NodeUsage, StorageUsage, Usage, UserUsage } from './usage.js';

@ArgsType()
class UsageHistoryArgs {
  @Field(() => UsageMetric, { description: 'What of.' })
  metric!: UsageMetric;

  @Field(() => String, {
    defaultValue: '30d',
    description:
      'One of `24h` and `7d`, by the hour, `30d`, `3mo` and `12mo`, by the day in UTC; up to now. Anything else is ' +
      'BAD_REQUEST.',
  })
  range!: string;
}

@Resolver(() => Usage)
export class UsageResolver {
  constructor(private readonly entitlements: Entitlements) {}

  @Authorized('billing.usage.read')
  @Query(() => Usage, { description: 'What the tenant uses of its plan.' })
  async usage(@Ctx() { operation }: SubgraphContext): Promise<Usage> {
    return usageOf(operation, await this.entitlements.of(operation));
  }

  @Authorized('billing.usage.read')
  @Query(() => UsageHistory, {
    name: 'usageHistory',
    description:
      'What the tenant has used until now, as it was measured once an hour; kept for thirteen months. BAD_REQUEST for an ' +
      'unknown range.',
  })
  async readHistory(
    @Args(() => UsageHistoryArgs) { metric, range }: UsageHistoryArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<UsageHistory> {
    return usageHistory(operation, metric, range);
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
