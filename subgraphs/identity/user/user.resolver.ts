import { Arg, Authorized, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';

import { holds, type PermissionTable } from '#platform/auth/permissions.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { EmailChangeService } from '../email/email-change.service.js';
import { Tenant } from '../tenant/tenant.entity.js';
import type { TotpService } from '../totp/totp.service.js';
import { Acting } from './acting.js';
import type { ProfileService } from './profile.service.js';
import { User } from './user.entity.js';
import { UpdateProfileInput } from './user.inputs.js';
import type { UserService } from './user.service.js';

@Resolver(() => User)
export class UserResolver {
  constructor(
    private readonly users: UserService,
    private readonly profiles: ProfileService,
    private readonly emails: EmailChangeService,
    private readonly totp: TotpService,
    /** All permissions of all areas. */
    private readonly permissionTable: PermissionTable,
  ) {}

  @Authorized('identity.user.read')
  @Query(() => User, {
    description:
      "The signed-in user; for one who acts in a client's tenant, that user with the role and the tenant that they act in, " +
      'and `acting`. FORBIDDEN for nodes and services.',
  })
  async me(@Ctx() { operation }: SubgraphContext): Promise<User> {
    return this.users.whoever(operation);
  }

  @Authorized('identity.user.read')
  @Query(() => [String], {
    description:
      'What the viewer may do in the tenant that it acts in: permissions such as `fleet.command.send`, of all areas. For ' +
      'showing no more than what would be granted; each operation checks for itself.',
  })
  permissions(@Ctx() { operation }: SubgraphContext): string[] {
    const viewer = operation.requireViewer();
    return Object.keys(this.permissionTable).filter((name) => holds(this.permissionTable, viewer, name));
  }

  @Authorized('identity.account.manage')
  @Mutation(() => User, {
    description:
      "Changes the viewer's name or e-mail address. A new address needs the current password and takes effect when the " +
      'link that is mailed to it is opened; until then it is `pendingEmail`. The address in force is told. ' +
      'VALIDATION_FAILED, CONFLICT (EMAIL_TAKEN), RATE_LIMITED after several new addresses.',
  })
  async updateProfile(
    @Arg('input', () => UpdateProfileInput, { description: 'What changes; the rest stays.' })
    input: UpdateProfileInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.profiles.update(operation, input);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The e-mail address that takes effect when the link that was mailed to it is opened. Users see their own only; ' +
      'null for others and where none is awaited.',
  })
  async pendingEmail(@Root() user: User, @Ctx() { operation }: SubgraphContext): Promise<string | null> {
    return this.emails.pending(operation, user);
  }

  @FieldResolver(() => Boolean, { description: 'Whether the user proved to read the mail of the address.' })
  emailVerified(@Root() user: User): boolean {
    return user.emailVerifiedAt !== null;
  }

  @FieldResolver(() => Boolean, { description: 'Whether signing in asks for a one-time code as well.' })
  totpEnabled(@Root() user: User): boolean {
    return user.totpConfirmedAt !== null;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How many recovery codes were not used yet, of ten. Users see their own only; null for others and while one-time ' +
      'codes are off.',
  })
  async recoveryCodesLeft(@Root() user: User, @Ctx() { operation }: SubgraphContext): Promise<number | null> {
    return this.totp.recoveryCodesLeft(operation, user);
  }

  @FieldResolver(() => Acting, {
    nullable: true,
    description:
      "How the caller acts in another tenant than their own; null for users in theirs, and for others' rows.",
  })
  async acting(@Root() user: User, @Ctx() { operation }: SubgraphContext): Promise<Acting | null> {
    return this.users.acting(operation, user);
  }

  @FieldResolver(() => Tenant, {
    description: 'The tenant that the user belongs to; for a caller who acts elsewhere, the one they act in.',
  })
  async tenant(@Ctx() { operation }: SubgraphContext): Promise<Tenant> {
    return this.users.tenant(operation);
  }
}
