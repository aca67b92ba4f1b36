import { Field, Float, Int, ObjectType } from 'type-graphql';

import { AlertRule } from '../alert-rule.entity.js';
import { AlertRuleKind, AlertSeverity } from '../alert.kinds.js';
import { AlertRuleOverride } from './override.entity.js';

@ObjectType({ description: 'What a rule says of one instance, with the override that is in force for it.' })
export class EffectiveAlertRule {
  @Field(() => AlertRuleKind, { description: 'What it is about.' })
  kind!: AlertRuleKind;

  @Field(() => Boolean, { description: 'Whether it raises alerts at all.' })
  isEnabled!: boolean;

  @Field(() => AlertSeverity, { description: 'How urgent its alerts are.' })
  severity!: AlertSeverity;

  @Field(() => Float, {
    nullable: true,
    description: 'The limit in percent, above 0 to 100; null for rules that measure nothing.',
  })
  threshold!: number | null;

  @Field(() => Int, {
    description: 'Seconds that the condition has to hold before the alert fires, 0 to 86400.',
  })
  forSeconds!: number;

  @Field(() => Int, {
    description: 'Seconds that the condition has to be gone before the alert resolves, 0 to 86400.',
  })
  keepFiringForSeconds!: number;

  @Field(() => AlertRule, { description: "The tenant's rule, for what the override leaves open." })
  rule!: AlertRule;

  @Field(() => AlertRuleOverride, {
    nullable: true,
    description: "The override in force; null where all is as the tenant's rule says.",
  })
  override!: AlertRuleOverride | null;
}
