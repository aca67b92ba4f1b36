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
    DAILY: { description: 'Every 24 hours.' },
    WEEKLY: { description: 'Every seven days.' },
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
    description: 'How often it comes again, always at the same time in UTC whatever clocks people use.',
  })
  @Property({ type: 'text' })
  repeats!: WindowRepeat;

  @Property({ type: 'text' })
  createdBy!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of maintenance windows.' })
export class MaintenanceWindowPage extends pageOf(MaintenanceWindow, 'MaintenanceWindow') {}
