import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { AuthPayload } from './auth-payload.js';
import type { LoginService } from './login.service.js';
import type { RefreshService } from './refresh.service.js';
import { Session, SessionPage } from './session.entity.js';
import { LoginInput, RefreshSessionInput } from './session.inputs.js';
import type { SessionService } from './session.service.js';

@Resolver(() => Session)
export class SessionResolver {
  constructor(
    private readonly logins: LoginService,
    private readonly refreshes: RefreshService,
    private readonly service: SessionService,
  ) {}

  @Mutation(() => AuthPayload, {
    description:
      'Signs a user in; with TOTP on and no code, answers a challenge for `verifyTotp`. Public. UNAUTHENTICATED ' +
      '(WRONG_CREDENTIALS), the same for an unknown user, a wrong password and an account that is paused after failures ' +
      '(OWASP Authentication Cheat Sheet); UNAUTHENTICATED (TOTP_CODE_INVALID); RATE_LIMITED for the client address.',
  })
  async login(
    @Arg('input', () => LoginInput, { description: 'Name and password.' }) input: LoginInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.logins.login(operation, input);
  }

  @Mutation(() => AuthPayload, {
    description:
      'Trades a refresh token for a new pair. Public. UNAUTHENTICATED (REFRESH_TOKEN_INVALID) when it is unknown, ended, ' +
      'or was used before. Use within seconds of the first gives the same successor again; later use ends the session ' +
      '(RFC 9700, section 4.14).',
  })
  async refreshSession(
    @Arg('input', () => RefreshSessionInput, { description: 'The token.' }) input: RefreshSessionInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.refreshes.refresh(operation, input);
  }

  @Authorized('identity.account.read')
  @Query(() => SessionPage, {
    description:
      "The viewer's own sessions that live, oldest first: 100 at most. Another sign-in ends the one that was used least " +
      'lately.',
  })
  async sessions(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Session>> {
    return this.service.list(operation, args);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => Session, {
    description:
      "Ends one of the viewer's own sessions: its tokens are refused within seconds. Safe to repeat. NOT_FOUND.",
  })
  async revokeSession(
    @Arg('id', () => ID, { description: 'The session.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Session> {
    return this.service.revoke(operation, id, 'REVOKED');
  }

  @Authorized('identity.account.manage')
  @Mutation(() => Session, {
    description:
      "Ends all of the viewer's sessions but the one of the token that comes along, which is the answer. Their tokens are " +
      'refused within seconds; API keys go on. Safe to repeat.',
  })
  async revokeOtherSessions(@Ctx() { operation }: SubgraphContext): Promise<Session> {
    return this.service.revokeOthers(operation);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => Session, { description: 'Ends the session of the token that comes along. Safe to repeat.' })
  async logout(@Ctx() { operation }: SubgraphContext): Promise<Session> {
    return this.service.revoke(operation, operation.requireUser().sessionId, 'LOGGED_OUT');
  }

  @FieldResolver(() => Boolean, { description: 'Whether it is the session of the token that comes along.' })
  current(@Root() session: Session, @Ctx() { operation }: SubgraphContext): boolean {
    return session.id === operation.requireUser().sessionId;
  }
}
