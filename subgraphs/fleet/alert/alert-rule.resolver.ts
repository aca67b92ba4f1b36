import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { AlertRule } from './alert-rule.entity.js';
import { UpdateAlertRuleInput } from './alert-rule.inputs.js';
import type { AlertRuleService } from './alert-rule.service.js';
import { AlertRuleKind } from './alert.kinds.js';

@Resolver()
export class AlertRuleResolver {
  constructor(private readonly rules: AlertRuleService) {}

  @Authorized('fleet.alert.read')
  @Query(() => [AlertRule], { description: 'All rules, one of each kind.' })
  async alertRules(@Ctx() { operation }: SubgraphContext): Promise<AlertRule[]> {
    return this.rules.all(operation);
  }

  @Authorized('fleet.alert-rule.update')
  @Mutation(() => AlertRule, {
    description:
      'Sets a rule; overrides of it stay. Alerts under way follow it from the next beat on. VALIDATION_FAILED.',
  })
  async updateAlertRule(
    @Arg('input', () => UpdateAlertRuleInput, { description: 'What changes.' }) input: UpdateAlertRuleInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRule> {
    return this.rules.update(operation, input);
  }

  @Authorized('fleet.alert-rule.update')
  @Mutation(() => AlertRule, {
    description: 'Brings a rule back to its defaults; overrides of it stay. Safe to repeat.',
  })
  async resetAlertRule(
    @Arg('kind', () => AlertRuleKind, { description: 'The rule.' }) kind: AlertRuleKind,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRule> {
    return this.rules.reset(operation, kind);
  }
}
