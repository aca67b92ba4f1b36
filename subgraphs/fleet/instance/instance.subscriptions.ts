import {
  ArgsType,
  Authorized,
  Ctx,
  Field,
  ID,
  Query,
  Args,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import { ApiError } from '#platform/errors.js';
import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { allGenerations } from '../lifecycle/credential-revocation.service.js';
import { FleetSummary } from '../summary/fleet-summary.js';
import type { SummaryService } from '../summary/summary.service.js';
import { Instance } from './instance.entity.js';
import type { InstanceService } from './instance.service.js';
import { InstanceStatus } from './instance.status.js';

@ArgsType()
class InstanceChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this instance.' })
  instanceId?: string | null;

  @Field(() => InstanceStatus, { nullable: true, description: 'Only changes to this status.' })
  status?: InstanceStatus | null;
}

/** What moves an instance from one status to another, or is why it is in it. */
const statusTopics = ['fleet.instance.enrolled', 'fleet.instance.changed'];
/** What changes anything else that an Instance shows, but for its measurements, which `metricsReported` is for. */
const otherTopics = [
  'fleet.instance.updated',
  'fleet.facts.changed',
  'fleet.credential.offered',
  'fleet.credential.revoked',
];

/** An instance that leaves takes its credential with it, and there is nothing left to show. */
function isLeaving({ topic, payload }: DeliveredEvent): boolean {
  return topic === 'fleet.credential.revoked' && payload['belowGeneration'] === allGenerations;
}

@Resolver()
export class InstanceSubscriptions {
  constructor(
    private readonly instances: InstanceService,
    private readonly summaries: SummaryService,
  ) {}

  @Authorized('fleet.instance.read')
  @Query(() => String, {
    description:
      "Where fleet's events stand: what was read in the same operation, and a subscription whose `extensions.after` " +
      'is this cursor, together miss nothing. UNAVAILABLE where no subscriptions are served.',
  })
  async fleetCursor(@Ctx() { operation, streams }: SubgraphContext): Promise<string> {
    if (!streams) throw new ApiError('UNAVAILABLE', 'This process serves no subscriptions');
    return streams.cursorNow(operation);
  }

  @Authorized('fleet.instance.read')
  @Subscription(() => Instance, {
    subscribe: eventSource<InstanceChangedArgs>('fleet.instance.read', ({ instanceId, status }) => ({
      topics: status == null ? [...statusTopics, ...otherTopics] : statusTopics,
      matches: (event) =>
        (instanceId == null || event.entityId === instanceId) &&
        (status == null || (event.payload['to'] ?? InstanceStatus.OFFLINE) === status) &&
        !isLeaving(event),
    })),
    description:
      'An instance of the tenant enrolled, went from one status to another, is in its status for other reasons, was renamed ' +
      'or tagged, runs another version, reports other facts, or its credential is exchanged. Its measurements are told by ' +
      '`metricsReported`, and that it leaves by `instanceDecommissioned`. One that is back before its end was told is told of twice, as offline and as back. `extensions.cursor` of an event, ' +
      'given back as `extensions.after` within 24 hours, resumes after it.',
  })
  async instanceChanged(
    @Args(() => InstanceChangedArgs) _args: InstanceChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance> {
    return this.instances.get(operation, payload.entityId);
  }

  @Authorized('fleet.instance.read')
  @Subscription(() => FleetSummary, {
    subscribe: eventSource('fleet.instance.read', () => ({
      topics: [...statusTopics, 'fleet.instance.decommissioned'],
    })),
    description: 'The fleet in numbers after each change of them. Resumes as `instanceChanged` does.',
  })
  async fleetHealthChanged(@Ctx() { operation }: SubgraphContext): Promise<FleetSummary> {
    return this.summaries.summary(operation);
  }
}
