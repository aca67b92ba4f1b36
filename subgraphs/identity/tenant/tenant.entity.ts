import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum Plan {
  FREE = 'FREE',
  PRO = 'PRO',
  ENTERPRISE = 'ENTERPRISE',
}

registerEnumType(Plan, {
  name: 'Plan',
  description: 'What a tenant has subscribed to; decides its limits and features.',
  valuesConfig: {
    FREE: { description: 'A few instances and users, without payment.' },
    PRO: { description: 'More of both; governance and high availability as well.' },
    ENTERPRISE: { description: 'As many as there are; MSP clients and branding as well.' },
  },
});

@Entity({ tableName: 'tenant' })
@ObjectType({
  description: 'An organization: the owner of users, instances and everything else. Nothing crosses tenants.',
})
@Directive('@key(fields: "id")')
export class Tenant {
  @Field(() => ID, { description: 'Starts with `org_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'The name of the organization.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => Plan, { description: 'The plan in force.' })
  @Property({ type: 'text' })
  plan!: Plan;

  /** Grows with each change of plan; an entitlement event with a lower one is stale. */
  @Property({ type: new BigIntType('number') })
  planVersion!: number;

  @Field(() => DateTime, { description: 'When the tenant was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}
