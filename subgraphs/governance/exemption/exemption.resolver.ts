import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { blanks, InstanceReference, presentInstance } from '../node/instance.reference.js';
import { unlisted } from '../order/may-order.js';
import { Policy } from '../policy/policy.entity.js';
import type { ResultsService } from '../result/results.service.js';
import { PolicyExemption, PolicyExemptionPage } from './exemption.entity.js';
import { CreatePolicyExemptionInput, PolicyExemptionsArgs } from './exemption.inputs.js';
import type { ExemptionService } from './exemption.service.js';

@Resolver(() => PolicyExemption)
export class ExemptionResolver {
  constructor(
    private readonly exemptions: ExemptionService,
    private readonly results: ResultsService,
  ) {}

  @Authorized('governance.policy.read')
  @Query(() => PolicyExemptionPage, {
    description: 'Instances of which policies need not hold, oldest first; those that have ended too.',
  })
  async policyExemptions(
    @Args(() => PolicyExemptionsArgs) args: PolicyExemptionsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<PolicyExemption>> {
    return this.exemptions.page(operation, args);
  }

  @Authorized('governance.policy.read')
  @Query(() => PolicyExemption, { description: 'One exemption, also one that has ended. NOT_FOUND.' })
  async policyExemption(
    @Arg('id', () => ID, { description: 'The exemption.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyExemption> {
    return this.exemptions.get(operation, id);
  }

  @Authorized('governance.exemption.manage')
  @Mutation(() => PolicyExemption, {
    description:
      'Lets an instance be without a policy, with an owner and a reason. It neither counts in its score nor is refused ' +
      'anything for it. VALIDATION_FAILED, CONFLICT (ALREADY_EXEMPT).',
  })
  async createPolicyExemption(
    @Arg('input', () => CreatePolicyExemptionInput, { description: 'The exemption.' })
    input: CreatePolicyExemptionInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyExemption> {
    return this.exemptions.create(operation, input);
  }

  @Authorized('governance.exemption.manage')
  @Mutation(() => PolicyExemption, {
    description: `Ends an exemption. NOT_FOUND. Of a policy that mends by itself: ${unlisted}.`,
  })
  async deletePolicyExemption(
    @Arg('id', () => ID, { description: 'The exemption.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyExemption> {
    return this.exemptions.remove(operation, id);
  }

  @FieldResolver(() => InstanceReference, { description: 'The instance.', deprecationReason: blanks })
  instance(@Root() { instanceId }: PolicyExemption): InstanceReference {
    return { id: instanceId };
  }

  @FieldResolver(() => InstanceReference, { nullable: true, description: presentInstance })
  presentInstance(@Root() { instanceId }: PolicyExemption): InstanceReference {
    return { id: instanceId };
  }

  // Whoever may only exempt does not see by it what the policies say.
  @Authorized('governance.policy.read')
  @FieldResolver(() => Policy, {
    nullable: true,
    description:
      'The policy; null when it was just removed, and, with an error, without the right to see policies.',
  })
  async policy(
    @Root() { policyId }: PolicyExemption,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy | null> {
    return this.results.policy(operation, policyId);
  }
}
