import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';

import { User } from '../user/user.entity.js';

@InputType({
  description: 'What a node sends a browser with, to have its user signed in (OAuth 2.0 with PKCE).',
})
export class AuthorizationRequestInput {
  @Field(() => ID, {
    description: 'The id of the instance that wants to sign a user in (RFC 6749, section 4.1.1).',
  })
  clientId!: string;

  @Field(() => String, {
    description:
      'One of the URIs that the node enrolled with, character by character (RFC 9700, section 4.1.1).',
  })
  redirectUri!: string;

  @Field(() => String, { nullable: true, description: 'Given back as it is; at most 2000 characters.' })
  state?: string | null;

  @Field(() => String, { description: 'The PKCE challenge (RFC 7636, section 4.2).' })
  codeChallenge!: string;

  @Field(() => String, {
    nullable: true,
    description: '`S256`, which is also what absence means. `plain` is refused.',
  })
  codeChallengeMethod?: string | null;

  @Field(() => String, { nullable: true, description: '`code`, which is also what absence means.' })
  responseType?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Comes back in the id token (OpenID Connect Core, section 3.1.2.1); at most 500 characters.',
  })
  nonce?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'How to ask the user (OpenID Connect Core, section 3.1.2.1), words with spaces between them. `none`, which is alone: ' +
      'not at all. `login`: to sign in anew. `consent`: for consent, which is asked for anyhow. Others are ignored.',
  })
  prompt?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'How many seconds ago the user may have signed in at most; `auth_time` of the id token says when.',
  })
  maxAge?: number | null;
}

@ObjectType({ description: 'A node as a client of the OAuth provider.' })
export class AuthorizationClient {
  @Field(() => ID, { description: 'The id of the instance.' })
  id!: string;

  @Field(() => String, { description: 'Its name in the fleet.' })
  name!: string;

  @Field(() => String, { description: 'Its host name.' })
  hostname!: string;
}

@ObjectType({ description: 'What the user is asked to agree to.' })
export class AuthorizationPreflight {
  @Field(() => AuthorizationClient, { description: 'Who wants to sign the user in.' })
  client!: AuthorizationClient;

  @Field(() => String, { description: 'Where the answer goes.' })
  redirectUri!: string;

  @Field(() => [String], { description: 'What the node gets to know of the user.' })
  scopes!: string[];

  @Field(() => String, { nullable: true, description: 'As it was given.' })
  state!: string | null;

  @Field(() => User, { description: 'Who would be signed in: the viewer.' })
  user!: User;

  @Field(() => String, {
    description: "Goes to `decideAuthorization` with the answer; the viewer's session only, for 10 minutes.",
  })
  consentId!: string;
}

@InputType({ description: "The user's answer to a node that wants to sign them in." })
export class DecideAuthorizationInput {
  @Field(() => String, { description: 'The `consentId` of the preflight.' })
  consentId!: string;

  @Field(() => Boolean, { description: 'Whether the user agrees.' })
  approve!: boolean;
}

@ObjectType({ description: 'Where the browser goes next.' })
export class DecideAuthorizationPayload {
  @Field(() => String, {
    description:
      'The redirect URI with `code`, `state` and `iss` (RFC 9207), or with `error=access_denied` in place of the code.',
  })
  redirectTo!: string;
}

@InputType({ description: 'An authorization code, which a node trades for the tokens of its user.' })
export class ExchangeAuthorizationCodeInput {
  @Field(() => String, { description: '`authorization_code`.' })
  grantType!: string;

  @Field(() => String, { nullable: true, description: 'The code; works once, for 5 minutes.' })
  code?: string | null;

  @Field(() => String, { nullable: true, description: 'The same as in the request.' })
  redirectUri?: string | null;

  @Field(() => ID, { nullable: true, description: 'The id of the instance.' })
  clientId?: string | null;

  @Field(() => String, { nullable: true, description: 'The PKCE verifier (RFC 7636, section 4.1).' })
  codeVerifier?: string | null;
}

@ObjectType({ description: 'The answer of the token endpoint (RFC 6749, section 5.1).' })
export class OAuthTokens {
  @Field(() => String, { description: 'Good for `userInfo` and nothing else.' })
  accessToken!: string;

  @Field(() => String, {
    description: "The panel's signed word on who the user is (OpenID Connect Core, section 2).",
  })
  idToken!: string;

  @Field(() => String, { description: '`Bearer`.' })
  tokenType!: string;

  @Field(() => Int, { description: 'Seconds until both end.' })
  expiresIn!: number;
}

@ObjectType({
  description: 'Claims about the user of an OAuth access token (OpenID Connect Core, section 5.3).',
})
export class UserInfo {
  @Field(() => ID, { description: "The user's id." })
  sub!: string;

  @Field(() => String, { description: 'The e-mail address.' })
  email!: string;

  @Field(() => Boolean, { description: 'Whether the user proved to read its mail.' })
  emailVerified!: boolean;

  @Field(() => String, { description: 'The name.' })
  name!: string;

  @Field(() => ID, { description: "The tenant's id." })
  tenant!: string;

  @Field(() => String, { description: 'The role in the tenant, in lower case.' })
  role!: string;
}
