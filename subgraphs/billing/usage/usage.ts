import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Instances that a tenant has and may have.' })
@Directive('@key(fields: "tenantId")')
export class NodeUsage {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => Int, { nullable: true, description: 'How many the plan allows; null for any number.' })
  limit!: number | null;
}

@ObjectType({ description: 'Users that a tenant has and may have.' })
@Directive('@key(fields: "tenantId")')
export class UserUsage {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => Int, { nullable: true, description: 'How many the plan allows; null for any number.' })
  limit!: number | null;
}

@ObjectType({ description: 'Storage that a tenant uses and may use.' })
@Directive('@key(fields: "tenantId")')
export class StorageUsage {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => Float, { nullable: true, description: 'How many GB the plan allows; null for any amount.' })
  limit!: number | null;
}

@ObjectType({
  description:
    'What a tenant uses of its plan, as of now. How much is used is counted by other areas: while one of them is away, all of ' +
    'it is null, with an error, and by the query `usage` so is whatever was asked for beside it. By `tenant { usage }` it alone is.',
})
export class Usage {
  @Field(() => NodeUsage, { description: 'Instances.' })
  nodes!: NodeUsage;

  @Field(() => UserUsage, { description: 'Users, and open invitations, which hold a seat.' })
  users!: UserUsage;

  @Field(() => StorageUsage, { description: 'Storage, in GB, by what the instances last reported.' })
  storage!: StorageUsage;
}
