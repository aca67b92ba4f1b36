import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';
import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum LicenceStatus {
  ACTIVE = 'ACTIVE',
  EXPIRED = 'EXPIRED',
}

registerEnumType(LicenceStatus, {
  name: 'LicenceStatus',
  description: 'Whether a licence holds.',
  valuesConfig: {
    ACTIVE: { description: 'It holds.' },
    EXPIRED: { description: 'Its time is over: it is renewed once an overdue payment is made.' },
  },
});

@Entity({ tableName: 'licence' })
@ObjectType({
  description: 'What one node may do, signed, so that the node can verify it without asking anybody.',
})
export class Licence {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `lic_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The node that it is for, and no other.' })
  @Property({ type: 'text' })
  instanceId!: string;

  @Field(() => Plan, { description: 'The plan that was in force when it was issued.' })
  @Property({ type: 'text' })
  plan!: Plan;

  @Field(() => [String], { description: 'What it lets the node do.' })
  @Property({ type: 'text[]' })
  features!: string[];

  @Field(() => DateTime, {
    description: 'When it was issued: anew with each change of plan, and long before it ends.',
  })
  @Property({ type: 'datetime' })
  issuedAt!: Date;

  @Field(() => DateTime, { description: 'Until when it holds.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  /** When its node left the fleet. */
  @Property({ type: 'datetime', nullable: true })
  freedAt!: Date | null;
}

@ObjectType({ description: 'One page of licences.' })
export class LicencePage extends pageOf(Licence, 'Licence') {}
