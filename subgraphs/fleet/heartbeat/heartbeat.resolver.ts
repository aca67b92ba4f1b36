import { Arg, Authorized, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';

import { outcomeOf, type Metrics } from '#platform/metrics.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { ReportHeartbeatInput, ReportHeartbeatPayload } from './heartbeat.inputs.js';
import type { HeartbeatService } from './heartbeat.service.js';

@Resolver()
export class HeartbeatResolver {
  private readonly count: ((labels: { outcome: string }) => void) | undefined;

  constructor(
    private readonly heartbeats: HeartbeatService,
    metrics?: Metrics,
  ) {
    this.count = metrics?.counter(
      'panel_beats_total',
      'Beats of nodes by outcome: ok when they are stored, or the code they were refused with.',
      ['outcome'],
    );
  }

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
    @Arg('input', () => ReportHeartbeatInput, { description: 'The beat.' }) input: ReportHeartbeatInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ReportHeartbeatPayload> {
    try {
      const taken = await this.heartbeats.report(operation, input);
      this.count?.({ outcome: outcomeOf() });
      return taken;
    } catch (error) {
      this.count?.({ outcome: outcomeOf(error) });
      throw error;
    }
  }
}
