import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import type { Faults } from '#platform/validation.js';

import { addFaults, faultsOfKind, ruleFields } from '../alert-rule.inputs.js';
import { AlertRuleKind, AlertSeverity } from '../alert.kinds.js';

/** Priorities are from 1 to this. */
export const lastPriority = 10_000;
/** Of a rule: each of its open alerts asks at every look which of them is in force. */
export const mostOverrides = 20;

const step = 10;

const wholes =
  'what is left out is as the rule says. At least one of the settings is given; one that is to keep others away, and says ' +
  'what the rule does, sets `isEnabled`.';

@InputType()
export abstract class OverrideSettings {
  @Field(() => ID, { description: 'The group whose instances it is about; each has one override of a rule.' })
  groupId!: string;

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

@InputType({ description: `An override as it is to be, as a whole: ${wholes}` })
export class OverrideAlertRuleInput extends OverrideSettings {
  @Field(() => AlertRuleKind, { description: 'The rule.' })
  kind!: AlertRuleKind;

  @Field(() => Int, {
    nullable: true,
    description:
      'Its place among the overrides of the rule, 1 to 10000, which none of the others has: the lowest goes first. Left out, ' +
      'it stays, and a new one goes behind all others, at the next multiple of ten.',
  })
  priority?: number | null;
}

@InputType({ description: `One of the overrides of a rule, as a whole: ${wholes}` })
export class AlertRuleOverrideInput extends OverrideSettings {
  @Field(() => Int, {
    nullable: true,
    description:
      'Its place, 1 to 10000, which none of the others has: the lowest goes first. Left out, it goes behind the one that is ' +
      'listed before it, at the next multiple of ten.',
  })
  priority?: number | null;
}

@InputType({ description: 'All overrides of a rule, as they are to be.' })
export class ReplaceAlertRuleOverridesInput {
  @Field(() => AlertRuleKind, { description: 'The rule.' })
  kind!: AlertRuleKind;

  @Field(() => [AlertRuleOverrideInput], {
    description: 'At most 20, each for another group; empty for none.',
  })
  overrides!: AlertRuleOverrideInput[];
}

const { kind, ...settings } = ruleFields;
const priority = z
  .number()
  .min(1, `Priority must be from 1 to ${lastPriority}`)
  .max(lastPriority, `Priority must be from 1 to ${lastPriority}`)
  .nullish();
const override = z.object({ groupId: z.string(), priority, ...settings });

/** What the rule has no use for, and that it says nothing. */
function faultsOf(input: z.infer<typeof override>, ofKind: AlertRuleKind): Faults {
  const given = (Object.keys(settings) as (keyof typeof settings)[]).filter((field) => input[field] != null);
  return {
    ...faultsOfKind({ ...input, kind: ofKind }),
    ...(given.length > 0
      ? {}
      : { isEnabled: 'An override must set something: it says nothing that the rule does not' }),
  };
}

export const overrideAlertRuleRules = override
  .extend({ kind })
  .superRefine((input, context) => addFaults(context, faultsOf(input, input.kind)));

/** The next multiple of ten behind a place. */
export function placeBehind(place: number): number {
  return (Math.floor(place / step) + 1) * step;
}

/** Where each is, those included that were not told their place. */
export function placesOf(overrides: readonly Pick<AlertRuleOverrideInput, 'priority'>[]): number[] {
  const places: number[] = [];
  for (const each of overrides) places.push(each.priority ?? placeBehind(places.at(-1) ?? 0));
  return places;
}

export const replaceAlertRuleOverridesRules = z
  .object({ kind, overrides: z.array(override).max(mostOverrides, `There may be ${mostOverrides}`) })
  .superRefine(({ kind: ofKind, overrides }, context) => {
    const places = placesOf(overrides);
    for (const [at, one] of overrides.entries()) {
      const place = places[at]!;
      addFaults(
        context,
        {
          ...faultsOf(one, ofKind),
          ...(overrides.findIndex(({ groupId }) => groupId === one.groupId) < at
            ? { groupId: 'There is an override for this group before it' }
            : {}),
          ...(places.indexOf(place) < at ? { priority: `One before it has the priority ${place}` } : {}),
          ...(place > lastPriority ? { priority: sayPriority(places[at - 1]!) } : {}),
        },
        ['overrides', at],
      );
    }
  });

export const sayPriority = (behind: number) => `Say a priority: there is no multiple of ten behind ${behind}`;
