import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum WindowEffect {
  ALLOW = 'ALLOW',
  DENY = 'DENY',
}

registerEnumType(WindowEffect, {
  name: 'MaintenanceWindowEffect',
  description: 'What a maintenance window does to commands. DENY beats ALLOW.',
  valuesConfig: {
    ALLOW: {
      description: 'Commands begin in it. Instances with any such window get none outside of theirs.',
    },
    DENY: { description: 'No command begins in it.' },
  },
});

export enum WindowRepeat {
  NEVER = 'NEVER',
  DAILY = 'DAILY',
  WEEKLY = 'WEEKLY',
  MONTHLY = 'MONTHLY',
}

registerEnumType(WindowRepeat, {
  name: 'MaintenanceWindowRepeat',
  description: 'How often a maintenance window comes again.',
  valuesConfig: {
    NEVER: { description: 'It is over after once.' },
    DAILY: { description: 'Every day, at the same time of day in its time zone.' },
    WEEKLY: {
      description:
        'Every week on its `days`, or on that of its beginning, at the same time of day in its time zone.',
    },
    MONTHLY: {
      description:
        'Every month on the same weekday of it, such as the second Tuesday, at the same time of day in its time zone.',
    },
  },
});

export enum Weekday {
  MONDAY = 'MONDAY',
  TUESDAY = 'TUESDAY',
  WEDNESDAY = 'WEDNESDAY',
  THURSDAY = 'THURSDAY',
  FRIDAY = 'FRIDAY',
  SATURDAY = 'SATURDAY',
  SUNDAY = 'SUNDAY',
}

registerEnumType(Weekday, {
  name: 'Weekday',
  description: 'A day of the week.',
  valuesConfig: {
    MONDAY: { description: 'The first, as ISO 8601 has it.' },
    TUESDAY: { description: 'The second.' },
    WEDNESDAY: { description: 'The third.' },
    THURSDAY: { description: 'The fourth.' },
    FRIDAY: { description: 'The fifth.' },
    SATURDAY: { description: 'The sixth.' },
    SUNDAY: { description: 'The last.' },
  },
});

@Entity({ tableName: 'maintenance_window' })
@ObjectType({ description: 'A time in which commands begin, or do not, on some or all instances.' })
export class MaintenanceWindow {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `mwn_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'What it is for.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => WindowEffect, { description: 'What it does.' })
  @Property({ type: 'text' })
  effect!: WindowEffect;

  @Field(() => ID, { nullable: true, description: 'The group it is for; null for all instances.' })
  @Property({ type: 'text', nullable: true })
  groupId!: string | null;

  @Field(() => DateTime, { description: 'When it begins for the first time.' })
  @Property({ type: 'datetime' })
  startsAt!: Date;

  @Field(() => Int, { description: 'How many minutes it lasts each time.' })
  @Property({ type: 'integer' })
  durationMinutes!: number;

  @Field(() => WindowRepeat, {
    description:
      'How often it comes again, at the same time of day in its time zone. A time that does not exist on a day, as clocks ' +
      'are put forward, begins when they have been; one that exists twice opens the first time only.',
  })
  @Property({ type: 'text' })
  repeats!: WindowRepeat;

  @Field(() => [Weekday], {
    nullable: true,
    description:
      'The days of the week on which it comes again WEEKLY, by the clocks of its time zone, from Monday on; null where it ' +
      'does so on that of its beginning, and for others.',
  })
  @Property({ type: 'json', nullable: true })
  days!: Weekday[] | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Of a MONTHLY one on which of the weekdays of its beginning it comes again: 1 to 4 from the beginning of the month, ' +
      '-1 for the last; null for others.',
  })
  @Property({ type: 'integer', nullable: true })
  weekOfMonth!: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'It begins no more from then on; one that is open then is over as ever. Null where it has no end.',
  })
  @Property({ type: 'datetime', nullable: true })
  endsAt!: Date | null;

  @Field(() => String, {
    description:
      'The time zone by whose clocks it comes again: a name of the IANA database such as `Europe/Berlin`.',
  })
  @Property({ type: 'text' })
  timeZone!: string;

  @Field(() => ID, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of maintenance windows.' })
export class MaintenanceWindowPage extends pageOf(MaintenanceWindow, 'MaintenanceWindow') {}
