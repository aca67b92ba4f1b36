import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { AuthorizationService } from './authorization.service.js';
import {
  AuthorizationPreflight,
  AuthorizationRequestInput,
  DecideAuthorizationInput,
  DecideAuthorizationPayload,
  ExchangeAuthorizationCodeInput,
  OAuthTokens,
  UserInfo,
} from './oauth.inputs.js';
import type { TokenService } from './token.service.js';
import type { UserInfoService } from './user-info.service.js';

@Resolver()
export class OAuthResolver {
  constructor(
    private readonly authorizations: AuthorizationService,
    private readonly tokens: TokenService,
    private readonly userInfos: UserInfoService,
  ) {}

  @Authorized('identity.oauth.authorize')
  @Query(() => AuthorizationPreflight, {
    description:
      'Checks a request of a node to sign the viewer in (RFC 6749, section 4.1.1). BAD_REQUEST (UNKNOWN_CLIENT, ' +
      'REDIRECT_URI_MISMATCH, UNSUPPORTED_RESPONSE_TYPE, INVALID_REQUEST), after which nobody may be redirected. ' +
      'BAD_REQUEST (LOGIN_REQUIRED, CONSENT_REQUIRED) when the user has to sign in anew or, with `prompt: "none"`, has to ' +
      'be asked; with `none` the `redirectTo` of the details is where the browser takes that to the node.',
  })
  async authorizationPreflight(
    @Arg('input', () => AuthorizationRequestInput, { description: 'As the node sent it.' })
    input: AuthorizationRequestInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthorizationPreflight> {
    return this.authorizations.preflight(operation, input);
  }

  @Authorized('identity.oauth.authorize')
  @Mutation(() => DecideAuthorizationPayload, {
    description:
      "Takes the viewer's answer and says where the browser goes (RFC 6749, section 4.1.2). BAD_REQUEST " +
      '(CONSENT_INVALID, UNKNOWN_CLIENT, REDIRECT_URI_MISMATCH), CONFLICT (CONSENT_USED).',
  })
  async decideAuthorization(
    @Arg('input', () => DecideAuthorizationInput, { description: 'The answer.' })
    input: DecideAuthorizationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DecideAuthorizationPayload> {
    return { redirectTo: await this.authorizations.decide(operation, input) };
  }

  @Mutation(() => OAuthTokens, {
    description:
      'Trades a code for the signed assertion of who the user is (RFC 6749, section 4.1.3). Public. BAD_REQUEST ' +
      '(INVALID_REQUEST, INVALID_GRANT, UNSUPPORTED_GRANT_TYPE), UNAUTHENTICATED (INVALID_CLIENT). A code that comes ' +
      'twice revokes what it gave.',
  })
  async exchangeAuthorizationCode(
    @Arg('input', () => ExchangeAuthorizationCodeInput, { description: 'The code and its verifier.' })
    input: ExchangeAuthorizationCodeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<OAuthTokens> {
    return this.tokens.exchange(operation, input);
  }

  @Query(() => UserInfo, {
    description:
      'Claims about the user of an OAuth access token (OpenID Connect Core, section 5.3), which is the only token it ' +
      'takes. UNAUTHENTICATED (TOKEN_INVALID).',
  })
  async userInfo(@Ctx() { operation }: SubgraphContext): Promise<UserInfo> {
    return this.userInfos.read(operation);
  }
}
