import { Authorized, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Tenant } from '../tenant/tenant.entity.js';
import { User } from './user.entity.js';
import type { UserService } from './user.service.js';

@Resolver(() => User)
export class UserResolver {
  constructor(private readonly users: UserService) {}

  @Authorized('identity.user.read')
  @Query(() => User, { description: 'The signed-in user. FORBIDDEN for nodes and services.' })
  async me(@Ctx() { operation }: SubgraphContext): Promise<User> {
    return this.users.me(operation);
  }

  @FieldResolver(() => Boolean, { description: 'Whether signing in asks for a one-time code as well.' })
  totpEnabled(@Root() user: User): boolean {
    return user.totpConfirmedAt !== null;
  }

  @FieldResolver(() => Tenant, { description: 'The tenant that the user belongs to.' })
  async tenant(@Ctx() { operation }: SubgraphContext): Promise<Tenant> {
    return this.users.tenant(operation);
  }
}
