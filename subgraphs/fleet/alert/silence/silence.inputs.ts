import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

import { severities } from '../alert.kinds.js';
import { ruleKinds } from '../alert.rules.js';
import { SilenceField, SilenceOperator, SilenceState } from './silence.kinds.js';

@InputType({ description: 'One thing that has to be so of an alert.' })
export class SilenceMatcherInput {
  @Field(() => SilenceField, { description: 'What it looks at.' })
  field!: SilenceField;

  @Field(() => SilenceOperator, { description: 'How it compares.' })
  operator!: SilenceOperator;

  @Field(() => String, { description: 'What it compares with, at most 200 characters.' })
  value!: string;
}

@InputType({ description: 'A new silence.' })
export class CreateSilenceInput {
  @Field(() => [SilenceMatcherInput], { description: 'What has to match, all of it; 1 to 20.' })
  matchers!: SilenceMatcherInput[];

  @Field(() => DateTime, { nullable: true, description: 'When the window begins; now unless told.' })
  startsAt?: Date | null;

  @Field(() => DateTime, { description: 'When the window ends: in the future, at most 366 days away.' })
  endsAt!: Date;

  @Field(() => String, { description: 'Why, for others to read; 1 to 500 characters.' })
  comment!: string;
}

@InputType({ description: 'Narrows a list of silences; what is left out does not narrow.' })
export class SilenceFilter {
  @Field(() => SilenceState, { nullable: true, description: 'Only silences in this state now.' })
  state?: SilenceState | null;
}

const words: Partial<Record<SilenceField, readonly string[]>> = {
  RULE: ruleKinds.map((kind) => kind.toLowerCase()),
  SEVERITY: severities.map((severity) => severity.toLowerCase()),
};
/** Their values are patterns rather than words. */
const patterned: readonly SilenceOperator[] = [SilenceOperator.MATCHES, SilenceOperator.NOT_MATCHES];
const longestMs = 366 * 24 * 60 * 60 * 1000;

const matcherRules = z
  .object({
    field: z.enum(SilenceField),
    operator: z.enum(SilenceOperator),
    value: z.string().trim().max(200, 'Value must have at most 200 characters'),
  })
  .superRefine(({ field, operator, value }, context) => {
    const known = words[field];
    if (!known || patterned.includes(operator) || known.includes(value.toLowerCase())) return;
    context.addIssue({
      code: 'custom',
      path: ['value'],
      message: `Value must be one of ${known.join(', ')}`,
    });
  });

export const createSilenceRules = (now: Date) =>
  z
    .object({
      matchers: z
        .array(matcherRules)
        .min(1, 'At least one matcher is required')
        .max(20, 'At most 20 matchers'),
      startsAt: z.date().nullish(),
      endsAt: z.date(),
      comment: z
        .string()
        .trim()
        .min(1, 'Comment is required')
        .max(500, 'Comment must have at most 500 characters'),
    })
    .superRefine(({ startsAt, endsAt }, context) => {
      const fault =
        endsAt <= now
          ? 'Ends at must be in the future'
          : endsAt <= (startsAt ?? now)
            ? 'Ends at must be after starts at'
            : endsAt.getTime() - now.getTime() > longestMs
              ? 'Ends at must be at most 366 days away'
              : undefined;
      if (fault) context.addIssue({ code: 'custom', path: ['endsAt'], message: fault });
    });
