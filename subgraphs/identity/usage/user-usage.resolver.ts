import { Authorized, Ctx, FieldResolver, Int, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { ownSeats } from './seats.service.js';
import { UserUsageReference } from './user-usage.reference.js';

@Resolver(() => UserUsageReference)
export class UserUsageResolver {
  /** billing's answer shows it, and billing says to whom: it needs no permission of this area. */
  @Authorized()
  @FieldResolver(() => Int, { description: 'How many users the tenant has, and invitations that are open.' })
  async used(@Ctx() { operation }: SubgraphContext): Promise<number> {
    return ownSeats(operation);
  }
}
