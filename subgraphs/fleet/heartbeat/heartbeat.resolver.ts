import { Arg, Authorized, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { ReportHeartbeatInput, ReportHeartbeatPayload } from './heartbeat.inputs.js';
import type { HeartbeatService } from './heartbeat.service.js';

@Resolver()
export class HeartbeatResolver {
  constructor(private readonly heartbeats: HeartbeatService) {}

  @Authorized('fleet.heartbeat.report')
  @Extensions({ audit: false, mendsText: true })
  @Mutation(() => ReportHeartbeatPayload, {
    description:
      "Stores a beat of the calling node, by its own credential, and answers when it is committed. The node's " +
      'earlier samples with the same timestamp are kept as they are. What cannot be taken as it came is told in ' +
      '`warnings`; the beat counts. UNAUTHENTICATED when the credential was revoked, VALIDATION_FAILED when a required ' +
      'field is not there.',
  })
  async reportHeartbeat(
    @Arg('input', () => ReportHeartbeatInput) input: ReportHeartbeatInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ReportHeartbeatPayload> {
    return this.heartbeats.report(operation, input);
  }
}
