import { Field, Int, ObjectType } from 'type-graphql';

import { User } from '../user/user.entity.js';

@ObjectType({
  description:
    'The answer to a sign-in: a session with its tokens, or, where TOTP is on and no code came along, a challenge.',
})
export class AuthPayload {
  @Field(() => User, { nullable: true, description: 'Who signed in; null with a challenge.' })
  user!: User | null;

  @Field(() => String, {
    nullable: true,
    description: 'A JWT for the Authorization header (RFC 9068), signed by a key of /.well-known/jwks.json.',
  })
  accessToken!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Opaque; good for one `refreshSession`. Using it again later ends the session (RFC 9700, section 4.14).',
  })
  refreshToken!: string | null;

  @Field(() => String, { nullable: true, description: '`Bearer`.' })
  tokenType!: string | null;

  @Field(() => Int, { description: 'Seconds until the access token (or the challenge) ends.' })
  expiresIn!: number;

  @Field(() => Boolean, {
    nullable: true,
    description: 'True when a one-time code is needed; null otherwise.',
  })
  totpRequired!: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Goes with the one-time code to `verifyTotp`; null without a challenge.',
  })
  challengeToken!: string | null;
}
