import { Args, ArgsType, Authorized, Ctx, Field, ID, Resolver, Root, Subscription } from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { Alert } from './alert.entity.js';
import { AlertSeverity } from './alert.kinds.js';
import type { AlertService } from './alert.service.js';

@ArgsType()
class AlertChangedArgs {
  @Field(() => AlertSeverity, { nullable: true, description: 'Only alerts of this severity.' })
  severity?: AlertSeverity | null;

  @Field(() => ID, { nullable: true, description: 'Only alerts of this instance.' })
  instanceId?: string | null;
}

@Resolver()
export class AlertSubscriptions {
  constructor(private readonly alerts: AlertService) {}

  @Authorized('fleet.alert.read')
  @Subscription(() => Alert, {
    subscribe: eventSource<AlertChangedArgs>('fleet.alert.read', ({ severity, instanceId }) => ({
      topics: ['fleet.alert.changed'],
      matches: ({ payload }) =>
        (severity == null || payload['severity'] === severity) &&
        (instanceId == null || payload['instanceId'] === instanceId),
    })),
    description:
      'An alert of the tenant began to fire, was acknowledged, or was resolved; it is given as it is now. A count that ' +
      'goes up is no event. `extensions.cursor` of an event, given back as `extensions.after` within 24 hours, resumes ' +
      'after it.',
  })
  async alertChanged(
    @Args(() => AlertChangedArgs) _args: AlertChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Alert> {
    return this.alerts.get(operation, payload.entityId);
  }
}
