import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

@Entity({ tableName: 'former_instance' })
@ObjectType({
  description: 'An instance that was decommissioned, as it was then. Remembered for a year.',
})
export class FormerInstance {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'The id that it had; starts with `inst_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'Its host name.' })
  @Property({ type: 'text' })
  hostname!: string;

  @Field(() => String, { description: 'The version of Cloud OS that it ran.' })
  @Property({ type: 'text' })
  version!: string;

  @Field(() => [String], { description: 'Its tags.' })
  @Property({ type: 'array' })
  tags!: string[];

  @Field(() => DateTime, { description: 'When it enrolled.' })
  @Property({ type: 'datetime' })
  enrolledAt!: Date;

  @Field(() => DateTime, {
    name: 'lastSeen',
    nullable: true,
    description: 'Its last beat; null if none came.',
  })
  @Property({ type: 'datetime', nullable: true })
  lastSeenAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was decommissioned.' })
  @Property({ type: 'datetime' })
  decommissionedAt!: Date;

  @Field(() => ID, { description: 'Who decommissioned it.' })
  @Property({ type: 'text' })
  decommissionedBy!: string;
}

@ObjectType({ description: 'One page of former instances.' })
export class FormerInstancePage extends pageOf(FormerInstance, 'FormerInstance') {}
