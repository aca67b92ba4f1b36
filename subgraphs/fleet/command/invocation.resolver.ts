import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Instance } from '../instance/instance.entity.js';
import type { InstanceService } from '../instance/instance.service.js';
import { CommandInvocation, LateResult } from './invocation.entity.js';

@Resolver(() => CommandInvocation)
export class InvocationResolver {
  constructor(private readonly instances: InstanceService) {}

  @FieldResolver(() => Instance, {
    nullable: true,
    description: 'The instance; null once it has left the fleet.',
  })
  async instance(
    @Root() { instanceId }: CommandInvocation,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance | null> {
    return this.instances.find(operation, instanceId);
  }

  @FieldResolver(() => LateResult, {
    nullable: true,
    description: 'What the node reported after it had ended otherwise; null when nothing was.',
  })
  lateResult(@Root() { lateResult }: CommandInvocation): LateResult | null {
    return lateResult && { ...lateResult, reportedAt: new Date(lateResult.reportedAt) };
  }
}
