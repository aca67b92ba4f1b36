import { Field, InputType } from 'type-graphql';

@InputType({ description: 'Who signs in.' })
export class LoginInput {
  @Field(() => String, { description: 'The sign-in name.' })
  email!: string;

  @Field(() => String, { description: 'The password.' })
  password!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The one-time code (RFC 6238) or a recovery code, where TOTP is on.',
  })
  totpCode?: string | null;
}

@InputType({ description: 'The session that goes on.' })
export class RefreshSessionInput {
  @Field(() => String, { description: 'The newest refresh token of the session.' })
  refreshToken!: string;
}
