import { Args, Authorized, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { blanks, InstanceReference, presentInstance } from '../node/instance.reference.js';
import { Policy } from '../policy/policy.entity.js';
import { PolicyResult, PolicyResultPage, PolicyResultsArgs } from './result.entity.js';
import type { ResultsService } from './results.service.js';

@Resolver(() => PolicyResult)
export class ResultResolver {
  constructor(private readonly results: ResultsService) {}

  @Authorized('governance.policy.read')
  @Query(() => PolicyResultPage, {
    description:
      'Where one policy holds and where not, by instance. NOT_FOUND for a policy that there is not.',
  })
  async policyResults(
    @Args(() => PolicyResultsArgs) args: PolicyResultsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<PolicyResult>> {
    return this.results.page(operation, args);
  }

  @FieldResolver(() => InstanceReference, { description: 'The instance.', deprecationReason: blanks })
  instance(@Root() { instanceId }: PolicyResult): InstanceReference {
    return { id: instanceId };
  }

  @FieldResolver(() => InstanceReference, { nullable: true, description: presentInstance })
  presentInstance(@Root() { instanceId }: PolicyResult): InstanceReference {
    return { id: instanceId };
  }

  @FieldResolver(() => Policy, { nullable: true, description: 'The policy; null when it was just removed.' })
  async policy(
    @Root() { policyId }: PolicyResult,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy | null> {
    return this.results.policy(operation, policyId);
  }
}
