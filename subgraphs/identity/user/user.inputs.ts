import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { emailAddress, normalEmail } from './email-address.js';

export const shownName = (what: string) =>
  z.string().trim().min(1, `${what} is required`).max(200, `${what} must have at most 200 characters`);

@InputType({ description: "What changes about the viewer's account; fields that are absent or null stay." })
export class UpdateProfileInput {
  @Field(() => String, { nullable: true, description: 'The name shown to others; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The new sign-in name, once the link that is mailed to it was opened; needs `currentPassword`. CONFLICT ' +
      '(EMAIL_TAKEN) when an account has it.',
  })
  email?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Needed to change the e-mail address. VALIDATION_FAILED when it is wrong.',
  })
  currentPassword?: string | null;
}

/** `email` is the address in force. */
export const updateProfileRules = (email: string) =>
  z
    .object({
      name: shownName('Name').nullish(),
      email: emailAddress.nullish(),
      currentPassword: z.string().nullish(),
    })
    .refine((input) => !isNewEmail(input, email) || Boolean(input.currentPassword), {
      path: ['currentPassword'],
      message: 'Current password is required',
    });

/** Whether the address of a profile is another one than that in force. */
export function isNewEmail<Input extends { email?: string | null | undefined }>(
  input: Input,
  inForce: string,
): input is Input & { email: string } {
  return input.email != null && input.email !== normalEmail(inForce);
}
