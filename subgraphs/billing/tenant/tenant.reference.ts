import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** identity's Tenant, by its key, with what billing adds to it. */
@ObjectType('Tenant')
@Directive('@key(fields: "id")')
export class TenantReference {
  @Field(() => ID, { description: 'Starts with `org_`.' })
  id!: string;
}
