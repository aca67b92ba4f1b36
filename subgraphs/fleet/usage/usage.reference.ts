import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** billing's types that tell how much of a plan is used, by their key: fleet adds what it counts. */
@ObjectType('BillingSubscription')
@Directive('@key(fields: "tenantId")')
export class BillingSubscriptionReference {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;
}

@ObjectType('NodeUsage')
@Directive('@key(fields: "tenantId")')
export class NodeUsageReference {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;
}

@ObjectType('StorageUsage')
@Directive('@key(fields: "tenantId")')
export class StorageUsageReference {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;
}
