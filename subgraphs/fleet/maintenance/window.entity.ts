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
}

registerEnumType(WindowRepeat, {
  name: 'MaintenanceWindowRepeat',
  description: 'How often a maintenance window comes again.',
  valuesConfig: {
    NEVER: { description: 'It is over after once.' },
    DAILY: { description: 'Every day, at the same time of day in its time zone.' },
    WEEKLY: { description: 'Every seven days, at the same time of day in its time zone.' },
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

  @Field(() => String, {
    description:
      'The time zone by whose clocks it comes again: a name of the IANA database such as `Europe/Berlin`.',
  })
  @Property({ type: 'text' })
  timeZone!: string;

  @Property({ type: 'text' })
  createdBy!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of maintenance windows.' })
export class MaintenanceWindowPage extends pageOf(MaintenanceWindow, 'MaintenanceWindow') {}
