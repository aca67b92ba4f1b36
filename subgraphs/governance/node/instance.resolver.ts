import { Arg, Authorized, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { PolicyResult, PolicyStatus } from '../result/result.entity.js';
import type { ResultsService } from '../result/results.service.js';
import type { ScoresService } from '../score/scores.service.js';
import { InstanceReference } from './instance.reference.js';

@Resolver(() => InstanceReference)
export class InstanceReferenceResolver {
  constructor(
    private readonly scores: ScoresService,
    private readonly results: ResultsService,
  ) {}

  @Authorized('governance.score.read')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How far policies hold on it, 0 to 100; null when nothing is known. See `scores` for the formula.',
  })
  async score(
    @Root() { id }: InstanceReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<number | null> {
    return (await this.scores.find(operation, id))?.score ?? null;
  }

  @Authorized('governance.score.read')
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How many policies do not hold on it; null for some moments after it has enrolled.',
  })
  async violations(
    @Root() { id }: InstanceReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<number | null> {
    return (await this.scores.find(operation, id))?.violations ?? null;
  }

  @Authorized('governance.policy.read')
  @FieldResolver(() => [PolicyResult], {
    nullable: true,
    description: 'Which policies hold on it; null for some moments after it has enrolled.',
  })
  async policyResults(
    @Arg('status', () => PolicyStatus, { nullable: true, description: 'Only those in this status.' })
    status: PolicyStatus | null | undefined,
    @Root() { id }: InstanceReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyResult[]> {
    return this.results.ofInstance(operation, id, status);
  }
}
