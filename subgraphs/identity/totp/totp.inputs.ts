import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';

import { User } from '../user/user.entity.js';

@InputType({ description: 'What it takes to switch one-time codes on.' })
export class EnableTotpInput {
  @Field(() => String, {
    description: 'A stolen token alone must not shut the owner out. VALIDATION_FAILED when it is wrong.',
  })
  currentPassword!: string;
}

@ObjectType({
  description: 'A new secret for one-time codes. Shown once; codes are asked for only after `verifyTotp`.',
})
export class EnableTotpPayload {
  @Field(() => String, { description: 'The secret in base32, for typing into an authenticator app.' })
  secret!: string;

  @Field(() => String, { description: 'The same as an otpauth:// URI (Key Uri Format).' })
  otpauthUrl!: string;

  @Field(() => String, { description: 'The URI as a QR code, an SVG document.' })
  qrSvg!: string;

  @Field(() => [String], {
    description: 'Ten codes, each of which stands in for a one-time code once. Shown once.',
  })
  recoveryCodes!: string[];
}

@InputType({
  description: 'A one-time code: it finishes the sign-in of a challenge, or switches the second factor on.',
})
export class VerifyTotpInput {
  @Field(() => String, {
    description: 'The one-time code (RFC 6238); with a challenge also a recovery code.',
  })
  code!: string;

  @Field(() => String, { nullable: true, description: 'The challenge of a sign-in, to complete it.' })
  challengeToken?: string | null;
}

@ObjectType({ description: 'TOTP is on now; or, with a challenge, the tokens of the sign-in.' })
export class VerifyTotpPayload {
  @Field(() => Boolean, { nullable: true, description: 'True once TOTP is on; null with a challenge.' })
  totpEnabled!: boolean | null;

  @Field(() => User, { nullable: true, description: 'Who signed in; null without a challenge.' })
  user!: User | null;

  @Field(() => String, { nullable: true, description: 'As in AuthPayload; null without a challenge.' })
  accessToken!: string | null;

  @Field(() => String, { nullable: true, description: 'As in AuthPayload; null without a challenge.' })
  refreshToken!: string | null;

  @Field(() => String, { nullable: true, description: '`Bearer`; null without a challenge.' })
  tokenType!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds until the access token ends; null without a challenge.',
  })
  expiresIn!: number | null;
}

@InputType({ description: 'The proof for switching the second factor off.' })
export class DisableTotpInput {
  @Field(() => String, { description: 'VALIDATION_FAILED when it is wrong.' })
  currentPassword!: string;

  @Field(() => String, {
    description: 'A one-time or recovery code. VALIDATION_FAILED when it is wrong or was used.',
  })
  code!: string;
}

@ObjectType({ description: 'The answer to switching TOTP off.' })
export class DisableTotpPayload {
  @Field(() => Boolean, { description: 'False: no code is asked for any more.' })
  totpEnabled!: boolean;
}

@InputType({ description: 'What it takes to make new recovery codes.' })
export class RegenerateRecoveryCodesInput {
  @Field(() => String, { description: 'VALIDATION_FAILED when it is wrong.' })
  currentPassword!: string;

  @Field(() => String, {
    description: 'A one-time code, no recovery code. VALIDATION_FAILED when it is wrong or was used.',
  })
  code!: string;
}

@ObjectType({ description: 'New recovery codes. Shown once.' })
export class RegenerateRecoveryCodesPayload {
  @Field(() => [String], {
    description: 'Ten codes, each of which stands in for a one-time code once. Shown once.',
  })
  recoveryCodes!: string[];
}

@InputType({ description: 'Whose second factor is reset, and the proof of who does it.' })
export class ResetSecondFactorInput {
  @Field(() => ID, { description: 'The user whose one-time codes end.' })
  userId!: string;

  @Field(() => ID, {
    nullable: true,
    description: "The user's tenant, for platform administrators; the viewer's own unless told.",
  })
  tenantId?: string | null;

  @Field(() => String, { description: "The viewer's own password. VALIDATION_FAILED when it is wrong." })
  currentPassword!: string;
}

@ObjectType({ description: 'The answer to a reset.' })
export class ResetSecondFactorPayload {
  @Field(() => ID, { description: 'The user.' })
  userId!: string;

  @Field(() => Boolean, { description: 'False: no code is asked for any more.' })
  totpEnabled!: boolean;
}
