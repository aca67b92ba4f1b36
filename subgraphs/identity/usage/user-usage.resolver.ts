import { Authorized, Ctx, FieldResolver, Int, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { ownSeats } from './seats.service.js';
import { UserUsageReference } from './user-usage.reference.js';

@Resolver(() => UserUsageReference)
export class UserUsageResolver {
  @Authorized('identity.member.read')
  @FieldResolver(() => Int, { description: 'How many users the tenant has, and invitations that are open.' })
  async used(@Ctx() { operation }: SubgraphContext): Promise<number> {
    return ownSeats(operation);
  }
}
