import type { GraphQLResolveInfo } from 'graphql';
import { Args, ArgsType, Authorized, Ctx, Field, ID, Info, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { selectedFields } from '#platform/subgraph/selected-fields.js';

import { metricNames } from './history-range.js';
import { MetricsHistory } from './metrics-history.js';
import type { MetricsHistoryService } from './metrics-history.service.js';

@ArgsType()
class MetricsHistoryArgs {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => String, {
    defaultValue: '24h',
    description: 'One of `1h`, `6h`, `24h`, `7d`, `30d` and `3mo`, up to now. Anything else is BAD_REQUEST.',
  })
  range!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'One of `cpu`, `mem`, `disk` and `net`; all of them unless told. Anything else is BAD_REQUEST.',
  })
  metric?: string | null;
}

@Resolver()
export class MetricsHistoryResolver {
  constructor(private readonly histories: MetricsHistoryService) {}

  @Authorized('fleet.instance.read')
  @Query(() => MetricsHistory, {
    description:
      'What one instance measured: from raw samples for ranges up to 6h, hourly rollups up to 30d, daily ones beyond. ' +
      'BAD_REQUEST for an unknown range or metric, NOT_FOUND.',
  })
  async metricsHistory(
    @Args(() => MetricsHistoryArgs) { instanceId, range, metric }: MetricsHistoryArgs,
    @Ctx() { operation }: SubgraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<MetricsHistory> {
    const percentiles = metricNames.filter((name) => selectedFields(info, ['buckets', name]).has('p95'));
    return this.histories.history(operation, { instanceId, range, metric, percentiles });
  }
}
