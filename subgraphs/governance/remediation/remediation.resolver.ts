import { Arg, Args, Authorized, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { InstanceReference } from '../node/instance.reference.js';
import { PolicyRemediation, PolicyRemediationPage } from './remediation.entity.js';
import { PolicyRemediationsArgs, RemediatePolicyInput } from './remediation.inputs.js';
import type { RemediationService } from './remediation.service.js';

@Resolver(() => PolicyRemediation)
export class RemediationResolver {
  constructor(private readonly remediations: RemediationService) {}

  @Authorized('governance.policy.read')
  @Query(() => PolicyRemediationPage, {
    description: 'Commands that brought instances in line with policies, newest first.',
  })
  async policyRemediations(
    @Args(() => PolicyRemediationsArgs) args: PolicyRemediationsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<PolicyRemediation>> {
    return this.remediations.page(operation, args);
  }

  @Authorized('governance.remediation.run')
  @Mutation(() => [PolicyRemediation], {
    description:
      'Sends the command of a policy to instances on which it does not hold; answers those that are under way. Where one is ' +
      'under way already no other begins. NOT_FOUND, VALIDATION_FAILED for an instance on which it is not known to fail, ' +
      'CONFLICT (NO_REMEDIATION), FORBIDDEN (PERMISSION_MISSING) for a key that does not list `fleet.command.send`.',
  })
  async remediatePolicy(
    @Arg('input', () => RemediatePolicyInput, { description: 'Whom it is to be brought to.' })
    input: RemediatePolicyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyRemediation[]> {
    return this.remediations.remediate(operation, input);
  }

  @FieldResolver(() => InstanceReference, { description: 'The instance.' })
  instance(@Root() { instanceId }: PolicyRemediation): InstanceReference {
    return { id: instanceId };
  }
}
