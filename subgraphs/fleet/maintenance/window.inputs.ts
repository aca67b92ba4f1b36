import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

import { WindowEffect, WindowRepeat } from './window.entity.js';
import { isTimeZone, periodMs } from './window.rules.js';

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
  })
  .superRefine(({ durationMinutes, repeats }, context) => {
    const period = periodMs(repeats ?? WindowRepeat.NEVER);
    if (period === null || durationMinutes * 60_000 < period) return;
    context.addIssue({
      code: 'custom',
      path: ['durationMinutes'],
      message: 'It must be over before it comes again',
    });
  });
