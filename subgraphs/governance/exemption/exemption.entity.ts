import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

@Entity({ tableName: 'exemption' })
@ObjectType({ description: 'An instance of which a policy need not hold for a time.' })
export class PolicyExemption {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `exm_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The policy.' })
  @Property({ type: 'text' })
  policyId!: string;

  @Field(() => ID, { description: 'The instance.' })
  @Property({ type: 'text' })
  instanceId!: string;

  @Field(() => String, { description: 'Who answers for it.' })
  @Property({ type: 'text' })
  owner!: string;

  @Field(() => String, { description: 'Why.' })
  @Property({ type: 'text' })
  reason!: string;

  @Field(() => DateTime, { nullable: true, description: 'When it ends; null when it does not by itself.' })
  @Property({ type: 'datetime', nullable: true })
  expiresAt!: Date | null;

  @Field(() => String, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of exemptions.' })
export class PolicyExemptionPage extends pageOf(PolicyExemption, 'PolicyExemption') {}
