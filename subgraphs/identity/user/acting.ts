import { Field, ID, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

@ObjectType({ description: "Under what a user of a provider acts in a client's tenant." })
export class Acting {
  @Field(() => ID, { description: 'The grant of the client.' })
  delegationId!: string;

  @Field(() => ID, { description: 'The tenant that the user belongs to: the provider.' })
  homeTenantId!: string;

  @Field(() => String, { description: 'Its name.' })
  homeTenantName!: string;

  @Field(() => DateTime, { description: 'When the grant ends.' })
  endsAt!: Date;
}
