import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { InstanceGroup } from '../../group/group.entity.js';
import { Instance } from '../../instance/instance.entity.js';
import { AlertRule } from '../alert-rule.entity.js';
import type { AlertRuleService } from '../alert-rule.service.js';
import { AlertRuleKind } from '../alert.kinds.js';
import { EffectiveAlertRule } from './effective-rule.js';
import type { EffectiveRuleService } from './effective-rule.service.js';
import { AlertRuleOverride } from './override.entity.js';
import { OverrideAlertRuleInput, ReplaceAlertRuleOverridesInput } from './override.inputs.js';
import type { AlertRuleOverrideService } from './override.service.js';

@Resolver(() => AlertRuleOverride)
export class AlertRuleOverrideResolver {
  constructor(
    private readonly overrides: AlertRuleOverrideService,
    private readonly rules: AlertRuleService,
  ) {}

  @Authorized('fleet.alert-rule.update')
  @Mutation(() => AlertRuleOverride, {
    description:
      'Sets what a rule says otherwise of the instances in a group, as a whole, at most 20 for each rule. Alerts under way ' +
      'follow it from the next beat of their instance on, and those of a rule that it switches off are over within ten ' +
      'seconds. Safe to repeat. VALIDATION_FAILED, CONFLICT (PRIORITY_TAKEN), LIMIT_REACHED (OVERRIDES_LIMIT).',
  })
  async overrideAlertRule(
    @Arg('input', () => OverrideAlertRuleInput, { description: 'The override.' })
    input: OverrideAlertRuleInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRuleOverride> {
    return this.overrides.set(operation, input);
  }

  @Authorized('fleet.alert-rule.update')
  @Mutation(() => AlertRule, {
    description:
      'Makes these the overrides of a rule, all at once, and answers the rule: what is not listed is taken away, and two may ' +
      'change places. Alerts under way follow as by `overrideAlertRule`. Safe to repeat. VALIDATION_FAILED, and nothing is ' +
      'changed.',
  })
  async replaceAlertRuleOverrides(
    @Arg('input', () => ReplaceAlertRuleOverridesInput, { description: 'The overrides.' })
    input: ReplaceAlertRuleOverridesInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRule> {
    await this.overrides.replace(operation, input);
    return this.rules.get(operation, input.kind);
  }

  @Authorized('fleet.alert-rule.update')
  @Mutation(() => AlertRule, {
    description:
      'Takes away the override of a rule for a group, and answers the rule: its instances are as that says, or as the next ' +
      'override that is about them, from their next beat on. Safe to repeat: where there is none, nothing is done. NOT_FOUND ' +
      'where there is no such group.',
  })
  async removeAlertRuleOverride(
    @Arg('kind', () => AlertRuleKind, { description: 'The rule.' }) kind: AlertRuleKind,
    @Arg('groupId', () => ID, { description: 'The group that it is for.' }) groupId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRule> {
    await this.overrides.remove(operation, kind, groupId);
    return this.rules.get(operation, kind);
  }

  @Authorized('fleet.group.read')
  @FieldResolver(() => InstanceGroup, {
    nullable: true,
    description: 'The group; null, with an error, without the right to see groups.',
  })
  async group(
    @Root() override: AlertRuleOverride,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceGroup | null> {
    return this.overrides.groupOf(operation, override);
  }
}

@Resolver(() => AlertRule)
export class AlertRuleOverridesResolver {
  constructor(private readonly service: AlertRuleOverrideService) {}

  @FieldResolver(() => [AlertRuleOverride], {
    description:
      'What it says otherwise of groups of instances, the one that goes first first; all of them, at most 20.',
  })
  async overrides(
    @Root() { kind }: AlertRule,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AlertRuleOverride[]> {
    return this.service.of(operation, kind);
  }
}

@Resolver(() => Instance)
export class InstanceRulesResolver {
  constructor(private readonly rules: EffectiveRuleService) {}

  @Authorized('fleet.alert.read')
  @FieldResolver(() => [EffectiveAlertRule], {
    description:
      'What raises alerts for it at the moment, one of each kind: the rule, or the first override of it whose group it is in.',
  })
  async effectiveAlertRules(
    @Root() { id }: Instance,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<EffectiveAlertRule[]> {
    return this.rules.of(operation, id);
  }
}
