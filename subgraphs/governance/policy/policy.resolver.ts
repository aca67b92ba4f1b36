import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { unlisted } from '../order/may-order.js';
import { PolicyCounts } from '../result/result.entity.js';
import type { ResultsService } from '../result/results.service.js';
import { isCombination, type Rule } from '../rule/rule.js';
import { PolicyVersion } from './policy-version.entity.js';
import { Policy, PolicyPage, PolicyRule } from './policy.entity.js';
import { CreatePolicyInput, UpdatePolicyInput } from './policy.inputs.js';
import type { PolicyService } from './policy.service.js';

const automatic = `Of one that mends by itself, unless it is only disabled: ${unlisted}.`;

@Resolver(() => Policy)
export class PolicyResolver {
  constructor(
    private readonly service: PolicyService,
    private readonly results: ResultsService,
  ) {}

  @Authorized('governance.policy.read')
  @Query(() => PolicyPage, { description: "The tenant's policies, in the order in which they were made." })
  async policies(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Policy>> {
    return this.service.page(operation, args);
  }

  @Authorized('governance.policy.read')
  @Query(() => Policy, { description: 'One policy. NOT_FOUND.' })
  async policy(
    @Arg('id', () => ID, { description: 'The policy.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy> {
    return this.service.get(operation, id);
  }

  @Authorized('governance.policy.read')
  @Query(() => [PolicyVersion], {
    description: 'A policy as it was, newest first, at most 100; also of one that was removed. NOT_FOUND.',
  })
  async policyHistory(
    @Arg('policyId', () => ID, { description: 'The policy.' }) policyId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyVersion[]> {
    return this.service.history(operation, policyId);
  }

  @Authorized('governance.policy.manage')
  @Mutation(() => Policy, {
    description:
      'Makes a policy, at most 200; more than three need a plan with governance. Instances are judged by it before the ' +
      'answer, of more than 200 the others within seconds. VALIDATION_FAILED names the place in the rule, ' +
      `PLAN_REQUIRED, LIMIT_REACHED (POLICIES_LIMIT), CONFLICT (NAME_TAKEN). ${automatic}`,
  })
  async createPolicy(
    @Arg('input', () => CreatePolicyInput, { description: 'The policy.' }) input: CreatePolicyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy> {
    return this.service.create(operation, input);
  }

  @Authorized('governance.policy.manage')
  @Mutation(() => Policy, {
    description:
      'Changes a policy, and judges instances by it as `createPolicy` does. While there are more than three, all but ' +
      'disabling one needs a plan with governance. NOT_FOUND, VALIDATION_FAILED, PLAN_REQUIRED, CONFLICT (NAME_TAKEN). ' +
      automatic,
  })
  async updatePolicy(
    @Arg('id', () => ID, { description: 'The policy.' }) id: string,
    @Arg('input', () => UpdatePolicyInput, { description: 'What changes.' }) input: UpdatePolicyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy> {
    return this.service.update(operation, id, input);
  }

  @Authorized('governance.policy.manage')
  @Mutation(() => Policy, {
    description:
      'Removes a policy with its exemptions and its results, of more than 200 instances the others within seconds; its ' +
      'history stays. NOT_FOUND.',
  })
  async deletePolicy(
    @Arg('id', () => ID, { description: 'The policy.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy> {
    return this.service.remove(operation, id);
  }

  @FieldResolver(() => PolicyRule, { description: 'What has to hold.' })
  rule(@Root() { rule }: Policy): PolicyRule {
    return shownRule(rule);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Why it has no say though it is not disabled; null while it has. A plan without governance has three policies: of ' +
      'more, those that were made last are not judged, refuse nothing and mend nothing until the plan includes it again.',
  })
  async suspendedReason(
    @Root() { id }: Policy,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return this.service.suspendedReason(operation, id);
  }

  @FieldResolver(() => PolicyCounts, { description: 'On how many instances it holds.' })
  async counts(@Root() { id }: Policy, @Ctx() { operation }: SubgraphContext): Promise<PolicyCounts> {
    return this.results.counts(operation, id);
  }
}

@Resolver(() => PolicyVersion)
export class PolicyVersionResolver {
  @FieldResolver(() => PolicyRule, { description: 'What had to hold.' })
  rule(@Root() { rule }: PolicyVersion): PolicyRule {
    return shownRule(rule);
  }
}

function shownRule(rule: Rule): PolicyRule {
  return {
    condition: isCombination(rule) ? null : rule.condition,
    operator: rule.operator,
    value: rule.value,
  };
}
