import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { normalPassword } from './normal-password.js';
import { newPassword } from './password-hash.js';

@InputType({ description: 'The password until now, and the new one.' })
export class ChangePasswordInput {
  @Field(() => String, { description: 'The password until now. VALIDATION_FAILED when it is wrong.' })
  currentPassword!: string;

  @Field(() => String, { description: '12 to 256 characters.' })
  newPassword!: string;
}

export const changePasswordRules = z
  .object({ currentPassword: z.string(), newPassword })
  .refine((input) => normalPassword(input.currentPassword) !== input.newPassword, {
    path: ['newPassword'],
    message: 'New password must differ from the current one',
  });

@InputType({ description: 'Whose password is forgotten.' })
export class RequestPasswordResetInput {
  @Field(() => String, { description: 'The sign-in name of the account.' })
  email!: string;
}

@InputType({ description: 'The link that was mailed, and the new password.' })
export class ResetPasswordInput {
  @Field(() => String, { description: 'The token of the link that was mailed; works once, for an hour.' })
  token!: string;

  @Field(() => String, { description: '12 to 256 characters.' })
  newPassword!: string;
}

export const resetPasswordRules = z.object({ token: z.string(), newPassword });
