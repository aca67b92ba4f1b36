import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { User } from '../user/user.entity.js';
import { newPassword } from './password.js';

export const emailAddress = z
  .email('Email must be an e-mail address')
  .max(254, 'Email must have at most 254 characters');
const name = (what: string) =>
  z.string().trim().min(1, `${what} is required`).max(200, `${what} must have at most 200 characters`);

@InputType()
export class RegisterInput {
  @Field(() => String, { description: 'The sign-in name. CONFLICT (EMAIL_TAKEN) when an account has it.' })
  email!: string;

  @Field(() => String, { description: '12 to 256 characters.' })
  password!: string;

  @Field(() => String, { description: "The person's name." })
  name!: string;

  @Field(() => String, { nullable: true, description: "The tenant's name; the person's name unless told." })
  company?: string | null;
}

export const registerRules = z.object({
  email: emailAddress,
  password: newPassword,
  name: name('Name'),
  company: name('Company').nullish(),
});

@InputType()
export class LoginInput {
  @Field(() => String, { description: 'The sign-in name.' })
  email!: string;

  @Field(() => String, { description: 'The password.' })
  password!: string;

  @Field(() => String, { nullable: true, description: 'The one-time code, where TOTP is on.' })
  totpCode?: string | null;
}

@InputType()
export class RefreshSessionInput {
  @Field(() => String, { description: 'The newest refresh token of the session.' })
  refreshToken!: string;
}

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
      'Opaque; good for one `refreshSession`. Using it twice ends the session (RFC 9700, section 4.14).',
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
    description: 'Goes with the one-time code; null without a challenge.',
  })
  challengeToken!: string | null;
}
