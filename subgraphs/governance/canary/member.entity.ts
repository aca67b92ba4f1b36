import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';

import type { Baseline } from './analysis.js';
import { CanaryMemberStatus } from './canary.status.js';

@Entity({ tableName: 'canary_member' })
@ObjectType({ description: 'An instance that a canary is for.' })
export class CanaryMember {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  canaryId!: string;

  @Field(() => ID, { description: 'The instance.' })
  @PrimaryKey({ type: 'text' })
  instanceId!: string;

  @Field(() => Int, { description: 'Its place in the order in which the canary comes to instances, from 0.' })
  @Property({ type: 'integer' })
  position!: number;

  @Field(() => Int, {
    description: 'The step at which its turn is; one more than there are steps for the rest.',
  })
  @Property({ type: 'integer' })
  step!: number;

  @Field(() => CanaryMemberStatus, { description: 'How it is there.' })
  @Property({ type: 'text' })
  status!: CanaryMemberStatus;

  @Property({ type: 'boolean' })
  isOpen!: boolean;

  @Property({ type: 'integer', nullable: true })
  dispatch!: number | null;

  @Property({ type: 'integer', nullable: true })
  rollbackDispatch!: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'The version that it ran when the command was sent; null before.',
  })
  @Property({ type: 'text', nullable: true })
  previousVersion!: string | null;

  @Property({ type: 'json', nullable: true })
  before!: Baseline | null;

  @Property({ type: 'datetime', nullable: true })
  endedAt!: Date | null;
}

@ObjectType({ description: 'One page of the instances of a canary.' })
export class CanaryMemberPage extends pageOf(CanaryMember, 'CanaryMember') {}
