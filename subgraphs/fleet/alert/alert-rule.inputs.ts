import { Field, Float, InputType, Int } from 'type-graphql';
import { z } from 'zod';

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

/** Finds what its kind has no use for. */
export function requireOfKind(
  { kind, threshold, forSeconds }: Pick<UpdateAlertRuleInput, 'kind' | 'threshold' | 'forSeconds'>,
  context: z.core.$RefinementCtx,
): void {
  if (threshold != null && !measuring.includes(kind)) {
    context.addIssue({ code: 'custom', path: ['threshold'], message: `${kind} measures nothing` });
  }
  if (forSeconds && toldKinds.includes(kind)) {
    context.addIssue({ code: 'custom', path: ['forSeconds'], message: `${kind} fires at once` });
  }
}

export const updateAlertRuleRules = z.object(ruleFields).superRefine(requireOfKind);
