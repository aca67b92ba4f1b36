import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { blanks, InstanceReference, presentInstance } from '../node/instance.reference.js';
import type { ScoresService } from '../score/scores.service.js';
import { PolicyRemediation, PolicyRemediationPage } from './remediation.entity.js';
import { PolicyRemediationsArgs, RemediatePolicyInput } from './remediation.inputs.js';
import type { RemediationService } from './remediation.service.js';

@ArgsType()
class PolicyRemediationChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only those of this policy.' })
  policyId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only those on this instance.' })
  instanceId?: string | null;
}

@Resolver(() => PolicyRemediation)
export class RemediationResolver {
  constructor(
    private readonly remediations: RemediationService,
    private readonly scores: ScoresService,
  ) {}

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

  @Authorized('governance.policy.read')
  @Query(() => PolicyRemediation, { description: 'One remediation. NOT_FOUND.' })
  async policyRemediation(
    @Arg('id', () => ID, { description: 'The remediation.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyRemediation> {
    return this.remediations.get(operation, id);
  }

  @Authorized('governance.policy.read')
  @Subscription(() => PolicyRemediation, {
    subscribe: eventSource<PolicyRemediationChangedArgs>(
      'governance.policy.read',
      ({ policyId, instanceId }) => ({
        topics: ['governance.remediation.changed'],
        matches: ({ payload }) =>
          (policyId == null || payload['policyId'] === policyId) &&
          (instanceId == null || payload['instanceId'] === instanceId),
      }),
    ),
    description:
      'A remediation was asked for, is under way, or has ended; it is given as it is now. `extensions.cursor` of an event, ' +
      'given back as `extensions.after` within 24 hours, resumes after it.',
  })
  async policyRemediationChanged(
    @Args(() => PolicyRemediationChangedArgs) _args: PolicyRemediationChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyRemediation> {
    return this.remediations.get(operation, payload.entityId);
  }

  @Authorized('governance.remediation.run')
  @Mutation(() => [PolicyRemediation], {
    description:
      'Sends the command of a policy to instances on which it does not hold; answers those that are under way. Where one is ' +
      'under way already no other begins. What becomes of them `policyRemediationChanged` tells. NOT_FOUND, VALIDATION_FAILED for an instance on which it is not known to fail, ' +
      'CONFLICT (NO_REMEDIATION), FORBIDDEN (PERMISSION_MISSING) for a key that does not list `fleet.command.send`.',
  })
  async remediatePolicy(
    @Arg('input', () => RemediatePolicyInput, { description: 'Whom it is to be brought to.' })
    input: RemediatePolicyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyRemediation[]> {
    return this.remediations.remediate(operation, input);
  }

  @FieldResolver(() => InstanceReference, { description: 'The instance.', deprecationReason: blanks })
  instance(@Root() { instanceId }: PolicyRemediation): InstanceReference {
    return { id: instanceId };
  }

  // It is kept for longer than its instance may be there.
  @FieldResolver(() => InstanceReference, { nullable: true, description: presentInstance })
  async presentInstance(
    @Root() { instanceId }: PolicyRemediation,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceReference | null> {
    return (await this.scores.find(operation, instanceId)) ? { id: instanceId } : null;
  }
}
