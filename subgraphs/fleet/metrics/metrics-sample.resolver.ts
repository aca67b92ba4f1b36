import {
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Resolver,
  Root,
  Subscription,
  type SubscribeResolverData,
} from 'type-graphql';

import { ApiError } from '#platform/errors.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Instance } from '../instance/instance.entity.js';
import type { InstanceService } from '../instance/instance.service.js';
import type { SampleEvent } from './metrics-feed.js';
import { MetricsRelay } from './metrics-relay.job.js';
import { MetricsSample } from './metrics-sample.js';

@ArgsType()
class MetricsReportedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this instance.' })
  instanceId?: string | null;
}

@Resolver(() => MetricsSample)
export class MetricsSampleResolver {
  constructor(private readonly instances: InstanceService) {}

  @Authorized('fleet.instance.read')
  @Subscription(() => MetricsSample, {
    subscribe: samples,
    description:
      "Each beat of the tenant's instances as it is committed. A reader that falls behind is sent the newest beat of " +
      'each instance only. There is no resuming: BAD_REQUEST (NOT_RESUMABLE) with `extensions.after`, as `metricsHistory` has what ' +
      'was missed. UNAVAILABLE where no subscriptions are served.',
  })
  metricsReported(
    @Args(() => MetricsReportedArgs) _args: MetricsReportedArgs,
    @Root() { payload }: SampleEvent,
  ): MetricsSample {
    return payload;
  }

  @FieldResolver(() => Instance, {
    nullable: true,
    description: 'The instance itself, read for each event that asks for it; null once it is gone.',
  })
  async instance(
    @Root() { instanceId }: MetricsSample,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance | null> {
    return this.instances.find(operation, instanceId);
  }
}

async function samples({
  context: { operation, streams },
  args: { instanceId },
}: SubscribeResolverData<unknown, MetricsReportedArgs, SubgraphContext>): Promise<
  AsyncIterable<SampleEvent>
> {
  operation.require('fleet.instance.read');
  if (!streams) throw new ApiError('UNAVAILABLE', 'This process serves no subscriptions');
  if (operation.request.after !== undefined) {
    throw new ApiError(
      'BAD_REQUEST',
      'metricsReported cannot be resumed: metricsHistory has what was missed',
      {
        reason: 'NOT_RESUMABLE',
      },
    );
  }
  return MetricsRelay.of(operation.database).open(operation.tenantId, instanceId ?? undefined);
}
