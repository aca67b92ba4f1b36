import { Authorized, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { InstanceScoreReference } from './instance-score.reference.js';
import type { InstanceService } from './instance.service.js';

@Resolver(() => InstanceScoreReference)
export class InstanceScoreResolver {
  constructor(private readonly instances: InstanceService) {}

  /** governance says who may read scores, which are told by name: it needs no permission of this area. */
  @Authorized()
  @FieldResolver(() => String, {
    nullable: true,
    description: "The instance's name; null when it has just left the fleet.",
  })
  async name(
    @Root() { instanceId }: InstanceScoreReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return (await this.instances.find(operation, instanceId))?.name ?? null;
  }
}
