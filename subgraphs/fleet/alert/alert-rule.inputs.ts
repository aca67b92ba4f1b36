import { Field, Float, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import type { Faults } from '#platform/validation.js';

import { AlertRuleKind, AlertSeverity, toldKinds } from './alert.kinds.js';

@InputType({ description: 'New settings of a rule; what is left out stays as it is.' })
export class UpdateAlertRuleInput {
  @Field(() => AlertRuleKind, { description: 'The rule.' })
  kind!: AlertRuleKind;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it raises alerts at all. Switching it off resolves those it has raised.',
  })
  isEnabled?: boolean | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'How urgent its alerts are.' })
  severity?: AlertSeverity | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The limit in percent, above 0 to 100. Only for rules that measure something.',
  })
  threshold?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds that the condition has to hold before the alert fires, 0 to 86400. Not for COMMAND_FAILED and POLICY_VIOLATION.',
  })
  forSeconds?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds that the condition has to be gone before the alert resolves, 0 to 86400.',
  })
  keepFiringForSeconds?: number | null;
}

const seconds = (what: string) =>
  z
    .number()
    .min(0, `${what} must be from 0 to 86400`)
    .max(86_400, `${what} must be from 0 to 86400`)
    .nullish();

const measuring: readonly AlertRuleKind[] = [AlertRuleKind.CPU, AlertRuleKind.MEMORY, AlertRuleKind.DISK];

/** What can be set of a rule, for all instances or for a group of them. */
export const ruleFields = {
  kind: z.enum(AlertRuleKind),
  isEnabled: z.boolean().nullish(),
  severity: z.enum(AlertSeverity).nullish(),
  threshold: z
    .number()
    .gt(0, 'Threshold must be above 0')
    .max(100, 'Threshold must be at most 100')
    .nullish(),
  forSeconds: seconds('For seconds'),
  keepFiringForSeconds: seconds('Keep firing for seconds'),
};

/** What its kind has no use for, by field. */
export function faultsOfKind({
  kind,
  threshold,
  forSeconds,
}: Pick<UpdateAlertRuleInput, 'kind' | 'threshold' | 'forSeconds'>): Faults {
  return {
    ...(threshold != null && !measuring.includes(kind) ? { threshold: `${kind} measures nothing` } : {}),
    ...(forSeconds && toldKinds.includes(kind) ? { forSeconds: `${kind} fires at once` } : {}),
  };
}

/** Tells faults of what is at a path. */
export function addFaults(
  context: z.core.$RefinementCtx,
  faults: Faults,
  at: readonly (string | number)[] = [],
): void {
  for (const [field, message] of Object.entries(faults))
    context.addIssue({ code: 'custom', path: [...at, field], message });
}

export const updateAlertRuleRules = z
  .object(ruleFields)
  .superRefine((input, context) => addFaults(context, faultsOfKind(input)));
