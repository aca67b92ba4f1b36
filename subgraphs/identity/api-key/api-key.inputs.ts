import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { shownName } from '../user/user.inputs.js';
import { ApiKey } from './api-key.entity.js';

const maxDays = 365;
export const defaultDays = 90;

@InputType({ description: 'An API key to be made.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'What the key is for; 1 to 200 characters.' })
  name!: string;

  @Field(() => [String], { description: 'What it may do: some of `apiKeyPermissions`, 1 to 100.' })
  permissions!: string[];

  @Field(() => Int, {
    nullable: true,
    description: `For how many days it works, 1 to ${maxDays}; ${defaultDays} unless told.`,
  })
  expiresInDays?: number | null;

  @Field(() => String, {
    description: "The viewer's password: a key outlives a stolen token. VALIDATION_FAILED when it is wrong.",
  })
  currentPassword!: string;
}

/** `grantable` are the permissions that the maker can give. */
export const createApiKeyRules = (grantable: readonly string[]) =>
  z.object({
    name: shownName('Name'),
    permissions: z
      .array(z.string())
      .min(1, 'At least one permission is required')
      .max(100, 'There may be at most 100 permissions')
      .superRefine((names, context) => {
        const refused = names.find((name) => !grantable.includes(name));
        if (refused === undefined) return;
        context.addIssue({ code: 'custom', message: `${refused} is not a permission that you can give` });
      }),
    expiresInDays: z
      .int()
      .min(1, 'It must work for at least 1 day')
      .max(maxDays, `It may work for at most ${maxDays} days`)
      .nullish(),
    currentPassword: z.string().min(1, 'Current password is required'),
  });

@ObjectType({ description: 'A new API key.' })
export class CreateApiKeyPayload {
  @Field(() => String, { description: 'The key itself, `qcp_...`; shown this once.' })
  key!: string;

  @Field(() => ApiKey, { description: 'What is known of it from now on.' })
  apiKey!: ApiKey;
}

@InputType({ description: 'An API key that came with a request.' })
export class ExchangeApiKeyInput {
  @Field(() => String, { description: 'The key.' })
  key!: string;
}

@ObjectType({ description: 'What a gateway goes on with in the place of an API key.' })
export class ExchangeApiKeyPayload {
  @Field(() => String, { description: 'A JWT of at most 60 seconds.' })
  token!: string;
}
