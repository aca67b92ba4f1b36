import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { SilenceField, SilenceOperator } from './silence.kinds.js';

@ObjectType({ description: 'One thing that has to be so of an alert.' })
export class SilenceMatcher {
  @Field(() => SilenceField, { description: 'What it looks at.' })
  field!: SilenceField;

  @Field(() => SilenceOperator, { description: 'How it compares.' })
  operator!: SilenceOperator;

  @Field(() => String, { description: 'What it compares with.' })
  value!: string;
}

@Entity({ tableName: 'alert_silence' })
@ObjectType({
  description:
    'A window of time in which channels are not told of certain alerts. The alerts themselves go on as always.',
})
export class Silence {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `sil_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => [SilenceMatcher], { description: 'It is for alerts that all of these match.' })
  @Property({ type: 'json' })
  matchers!: SilenceMatcher[];

  @Field(() => DateTime, { description: 'When the window begins.' })
  @Property({ type: 'datetime' })
  startsAt!: Date;

  @Field(() => DateTime, { description: 'When the window ends.' })
  @Property({ type: 'datetime' })
  endsAt!: Date;

  @Field(() => String, { description: 'Why, for others to read.' })
  @Property({ type: 'text' })
  comment!: string;

  @Field(() => ID, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of silences.' })
export class SilencePage extends pageOf(Silence, 'Silence') {}
