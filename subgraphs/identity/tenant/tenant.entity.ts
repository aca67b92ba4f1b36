import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';
import { DateTime } from '#platform/subgraph/scalars.js';

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

  /** The version with which an operator granted a plan last. */
  @Property({ type: new BigIntType('number'), nullable: true })
  grantVersion!: number | null;

  /** The version up to which an operator has ended what was granted. While it is that of the plan, billing has yet to decide. */
  @Property({ type: new BigIntType('number'), nullable: true })
  grantEndedVersion?: number | null;

  @Field(() => DateTime, { description: 'When the tenant was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it will be erased: 30 days after it was closed, and until then it can be restored. Null otherwise, and of MSP ' +
      'clients, of which `MspClient.eraseAt` tells.',
  })
  @Property({ type: 'datetime', nullable: true })
  eraseAt?: Date | null;
}
