import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

import { lastWeek, shortestDays, weekdayOf, weeksOf } from './recurrence.js';
import { Weekday, WindowEffect, WindowRepeat } from './window.entity.js';
import { isTimeZone } from './window.rules.js';

@InputType({ description: 'A new maintenance window.' })
export class CreateMaintenanceWindowInput {
  @Field(() => String, { description: 'What it is for; 1 to 200 characters.' })
  name!: string;

  @Field(() => WindowEffect, { description: 'What it does.' })
  effect!: WindowEffect;

  @Field(() => ID, { nullable: true, description: 'The group it is for; all instances unless told.' })
  groupId?: string | null;

  @Field(() => DateTime, { description: 'When it begins for the first time.' })
  startsAt!: Date;

  @Field(() => Int, {
    description: 'How many minutes it lasts, 5 to 43200; less than the time until it comes again.',
  })
  durationMinutes!: number;

  @Field(() => WindowRepeat, { nullable: true, description: 'How often it comes again; NEVER unless told.' })
  repeats?: WindowRepeat | null;

  @Field(() => [Weekday], {
    nullable: true,
    description:
      'On which days of the week it comes again WEEKLY, by the clocks of its time zone; that of its beginning is one of ' +
      'them. That one alone unless told.',
  })
  days?: Weekday[] | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'On which of the weekdays of its beginning it comes again MONTHLY: 1 to 4 from the beginning of the month, or -1 for ' +
      'the last. As it is of its beginning unless told: of the fourth the fourth, of a fifth the last.',
  })
  weekOfMonth?: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'For one that comes again: it begins no more from then on, after `startsAt`. No end unless told.',
  })
  endsAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'The time zone by whose clocks it comes again, such as `Europe/Berlin`; UTC unless told.',
  })
  timeZone?: string | null;
}

@InputType({ description: 'What changes of a maintenance window; what is left out stays.' })
export class UpdateMaintenanceWindowInput {
  @Field(() => ID, { description: 'The window.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'What it is for; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => WindowEffect, { nullable: true, description: 'What it does.' })
  effect?: WindowEffect | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The group it is for; null makes it for all instances.',
  })
  groupId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it begins for the first time.' })
  startsAt?: Date | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many minutes it lasts, 5 to 43200; less than the time until it comes again.',
  })
  durationMinutes?: number | null;

  @Field(() => WindowRepeat, { nullable: true, description: 'How often it comes again.' })
  repeats?: WindowRepeat | null;

  @Field(() => [Weekday], {
    nullable: true,
    description:
      'On which days of the week it comes again WEEKLY, by the clocks of its time zone; that of its beginning is one of ' +
      'them. Null leaves that one alone; those of before stay where it comes WEEKLY.',
  })
  days?: Weekday[] | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'On which of the weekdays of its beginning it comes again MONTHLY: 1 to 4 from the beginning of the month, or -1 for ' +
      'the last. Unless told it stays, where it still is so of its beginning.',
  })
  weekOfMonth?: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'For one that comes again: it begins no more from then on, after `startsAt`. Null takes the end away.',
  })
  endsAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The time zone by whose clocks it comes again, such as `Europe/Berlin`. When it begins for the first time stays.',
  })
  timeZone?: string | null;
}

export const createMaintenanceWindowRules = z
  .object({
    name: z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters'),
    effect: z.enum(WindowEffect),
    groupId: z.string().nullish(),
    startsAt: z.date(),
    durationMinutes: z
      .number()
      .min(5, 'Duration minutes must be from 5 to 43200')
      .max(43_200, 'Duration minutes must be from 5 to 43200'),
    repeats: z.enum(WindowRepeat).nullish(),
    timeZone: z
      .string()
      .refine(isTimeZone, 'Time zone must be a name of the IANA database, such as Europe/Berlin or UTC')
      .nullish(),
    days: z.array(z.enum(Weekday)).min(1, 'Name at least one day').max(7, 'At most 7 days').nullish(),
    weekOfMonth: z
      .literal([1, 2, 3, 4, lastWeek], 'Week of month must be 1 to 4, or -1 for the last')
      .nullish(),
    endsAt: z.date().nullish(),
  })
  .superRefine((rules, context) => {
    for (const [field, message] of faultsOf(rules))
      context.addIssue({ code: 'custom', path: [field], message });
  });

interface Schedule {
  startsAt: Date;
  durationMinutes: number;
  repeats?: WindowRepeat | null | undefined;
  timeZone?: string | null | undefined;
  days?: Weekday[] | null | undefined;
  weekOfMonth?: number | null | undefined;
  endsAt?: Date | null | undefined;
}

/** What does not fit together, by field. */
function* faultsOf({
  startsAt,
  durationMinutes,
  days,
  weekOfMonth,
  endsAt,
  ...rules
}: Schedule): Generator<[string, string]> {
  const timeZone = rules.timeZone ?? 'UTC';
  const repeats = rules.repeats ?? WindowRepeat.NEVER;
  const shortest = shortestDays(repeats, days);
  if (shortest !== null && durationMinutes >= shortest * 24 * 60)
    yield ['durationMinutes', 'It must be over before it comes again'];
  if (days && repeats !== WindowRepeat.WEEKLY) yield ['days', 'Days are for one that comes again weekly'];
  if (weekOfMonth && repeats !== WindowRepeat.MONTHLY)
    yield ['weekOfMonth', 'Week of month is for one that comes again monthly'];
  if (endsAt && repeats === WindowRepeat.NEVER) yield ['endsAt', 'Ends at is for one that comes again'];
  else if (endsAt && endsAt <= startsAt) yield ['endsAt', 'Ends at must be after starts at'];
  if (!isTimeZone(timeZone)) return;
  if (days && !days.includes(weekdayOf(startsAt, timeZone)))
    yield ['days', 'Days must have the one on which it begins for the first time'];
  if (weekOfMonth && !weeksOf(startsAt, timeZone).includes(weekOfMonth))
    yield ['weekOfMonth', 'Week of month must be the one in which it begins for the first time'];
}
