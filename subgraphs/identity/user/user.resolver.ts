import { Arg, Authorized, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Tenant } from '../tenant/tenant.entity.js';
import type { ProfileService } from './profile.service.js';
import { User } from './user.entity.js';
import { UpdateProfileInput } from './user.inputs.js';
import type { UserService } from './user.service.js';

@Resolver(() => User)
export class UserResolver {
  constructor(
    private readonly users: UserService,
    private readonly profiles: ProfileService,
  ) {}

  @Authorized('identity.user.read')
  @Query(() => User, { description: 'The signed-in user. FORBIDDEN for nodes and services.' })
  async me(@Ctx() { operation }: SubgraphContext): Promise<User> {
    return this.users.me(operation);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => User, {
    description:
      "Changes the viewer's name or e-mail address. A new address needs the current password, takes effect at once and " +
      'is unverified until the link that is mailed to it is opened. VALIDATION_FAILED, CONFLICT (EMAIL_TAKEN), ' +
      'RATE_LIMITED after several new addresses.',
  })
  async updateProfile(
    @Arg('input', () => UpdateProfileInput, { description: 'What changes; the rest stays.' })
    input: UpdateProfileInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.profiles.update(operation, input);
  }

  @FieldResolver(() => Boolean, { description: 'Whether the user proved to read the mail of the address.' })
  emailVerified(@Root() user: User): boolean {
    return user.emailVerifiedAt !== null;
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
