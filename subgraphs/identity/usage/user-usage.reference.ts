import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** billing's UserUsage, by its key, with what identity counts. */
@ObjectType('UserUsage')
@Directive('@key(fields: "tenantId")')
export class UserUsageReference {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;
}
