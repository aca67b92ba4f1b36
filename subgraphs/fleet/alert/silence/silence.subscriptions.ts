import { Authorized, Ctx, Resolver, Root, Subscription } from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { Silence } from './silence.entity.js';
import type { SilenceService } from './silence.service.js';

@Resolver()
export class SilenceSubscriptions {
  constructor(private readonly silences: SilenceService) {}

  @Authorized('fleet.alert.read')
  @Subscription(() => Silence, {
    subscribe: eventSource('fleet.alert.read', () => ({ topics: ['fleet.silence.changed'] })),
    description:
      'A silence of the tenant was made, or was ended by hand; it is given as it is now. That its window begins or ends by ' +
      'itself is no event: `startsAt` and `endsAt` tell when. Resumes as `alertChanged` does.',
  })
  async silenceChanged(
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Silence> {
    return this.silences.get(operation, payload.entityId);
  }
}
