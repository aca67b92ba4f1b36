import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { InstanceStatus } from '../instance/instance.status.js';

export enum GroupKind {
  STATIC = 'STATIC',
  LIVE = 'LIVE',
}

registerEnumType(GroupKind, {
  name: 'InstanceGroupKind',
  description: 'How it is decided who is in a group.',
  valuesConfig: {
    STATIC: { description: 'The instances that were put into it, until others are.' },
    LIVE: {
      description: 'Whichever instances its filter matches at the moment: a saved filter with a name.',
    },
  },
});

@ObjectType({
  description: 'What the instances of a live group have in common; all that is given must hold.',
})
export class GroupFilter {
  @Field(() => [String], { nullable: true, description: 'They have all of these tags.' })
  tags?: string[] | null;

  @Field(() => InstanceStatus, { nullable: true, description: 'They are in this status.' })
  status?: InstanceStatus | null;

  @Field(() => String, {
    nullable: true,
    description: 'Their name or host name contains this, without case.',
  })
  q?: string | null;
}

@Entity({ tableName: 'instance_group' })
@ObjectType({
  description:
    'A named set of instances, for commands, maintenance windows, policies and overrides of alert rules.',
})
export class InstanceGroup {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `grp_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique in the tenant without case.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => GroupKind, { description: 'How it is decided who is in it.' })
  @Property({ type: 'text' })
  kind!: GroupKind;

  @Field(() => GroupFilter, { nullable: true, description: 'Of a live group: who is in it.' })
  @Property({ type: 'json', nullable: true })
  filter!: GroupFilter | null;

  @Field(() => ID, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of groups.' })
export class InstanceGroupPage extends pageOf(InstanceGroup, 'InstanceGroup') {}
