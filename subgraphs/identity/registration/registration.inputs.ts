import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { newPassword } from '../password/password-hash.js';
import { emailAddress } from '../user/email-address.js';
import { shownName } from '../user/user.inputs.js';

@InputType({ description: 'An account, and the tenant that it will own.' })
export class RegisterInput {
  @Field(() => String, { description: 'The sign-in name. CONFLICT (EMAIL_TAKEN) when an account has it.' })
  email!: string;

  @Field(() => String, { description: '12 to 256 characters.' })
  password!: string;

  @Field(() => String, { description: "The person's name; 1 to 200 characters." })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: "The tenant's name, 1 to 200 characters; the person's name unless told.",
  })
  company?: string | null;
}

export const registerRules = z.object({
  email: emailAddress,
  password: newPassword,
  name: shownName('Name'),
  company: shownName('Company').nullish(),
});
