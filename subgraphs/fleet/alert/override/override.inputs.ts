import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { requireOfKind, ruleFields } from '../alert-rule.inputs.js';
import { AlertRuleKind, AlertSeverity } from '../alert.kinds.js';

/** Priorities are from 1 to this. */
export const lastPriority = 10_000;

@InputType({
  description:
    'An override as it is to be, as a whole: what is left out is as the rule says. At least one of the settings is given; ' +
    'one that is to keep others away, and says what the rule does, sets `isEnabled`.',
})
export class OverrideAlertRuleInput {
  @Field(() => AlertRuleKind, { description: 'The rule.' })
  kind!: AlertRuleKind;

  @Field(() => ID, { description: 'The group whose instances it is about; each has one override of a rule.' })
  groupId!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'Its place among the overrides of the rule, 1 to 10000, which none of the others has: the lowest goes first. Left out, ' +
      'it stays, and a new one goes behind all others, at the next multiple of ten.',
  })
  priority?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether alerts are raised for them at all. Switching that off resolves those that were raised.',
  })
  isEnabled?: boolean | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'How urgent their alerts are.' })
  severity?: AlertSeverity | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The limit in percent, above 0 to 100. Only for rules that measure something.',
  })
  threshold?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds that the condition has to hold before an alert fires, 0 to 86400. Not for COMMAND_FAILED and POLICY_VIOLATION.',
  })
  forSeconds?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds that the condition has to be gone before an alert resolves, 0 to 86400.',
  })
  keepFiringForSeconds?: number | null;
}

const { kind, ...settings } = ruleFields;

export const overrideAlertRuleRules = z
  .object({
    kind,
    groupId: z.string(),
    priority: z
      .number()
      .min(1, `Priority must be from 1 to ${lastPriority}`)
      .max(lastPriority, `Priority must be from 1 to ${lastPriority}`)
      .nullish(),
    ...settings,
  })
  .superRefine((input, context) => {
    requireOfKind(input, context);
    const given = (Object.keys(settings) as (keyof typeof settings)[]).filter(
      (field) => input[field] != null,
    );
    if (given.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['isEnabled'],
        message: 'An override must set something: it says nothing that the rule does not',
      });
  });
