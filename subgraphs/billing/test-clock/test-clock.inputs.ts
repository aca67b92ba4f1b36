import { Field, InputType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

@InputType({ description: "Where the tenant's test clock is to go." })
export class AdvanceTestClockInput {
  @Field(() => DateTime, {
    description:
      "What time it is to be for the tenant: later than it is now, by two years at most, and at most ten years ahead of the machine's.",
  })
  to!: Date;
}
