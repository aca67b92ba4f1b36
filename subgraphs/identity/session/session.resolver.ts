import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { AuthPayload, LoginInput, RefreshSessionInput, RegisterInput } from './session.inputs.js';
import type { SessionService } from './session.service.js';

@Resolver()
export class SessionResolver {
  constructor(private readonly sessions: SessionService) {}

  @Mutation(() => AuthPayload, {
    description: 'Makes a tenant with its owner and signs the owner in. Public. CONFLICT (EMAIL_TAKEN).',
  })
  async register(
    @Arg('input', () => RegisterInput) input: RegisterInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.sessions.register(operation, input);
  }

  @Mutation(() => AuthPayload, {
    description:
      'Signs a user in. Public. UNAUTHENTICATED (WRONG_CREDENTIALS), the same for an unknown user.',
  })
  async login(
    @Arg('input', () => LoginInput) input: LoginInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.sessions.login(operation, input);
  }

  @Mutation(() => AuthPayload, {
    description:
      'Trades a refresh token for a new pair. Public. UNAUTHENTICATED (REFRESH_TOKEN_INVALID) when it is unknown, ' +
      'ended, or was used before; the latter ends the session.',
  })
  async refreshSession(
    @Arg('input', () => RefreshSessionInput) input: RefreshSessionInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.sessions.refresh(operation, input);
  }
}
