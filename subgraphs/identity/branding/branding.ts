import { Field, InputType, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { emailAddress } from '../user/email-address.js';
import { shownName } from '../user/user.inputs.js';

export const defaultColor = '#2563EB';

@ObjectType({
  description:
    'How the tenant presents itself to its users, and to those of its clients: in the console once they are signed in, in the ' +
    "mails that they get, and where they sign in at its nodes. The panel's own sign-in has its own name.",
})
export class Branding {
  @Field(() => String, { description: 'The name that is shown.' })
  companyName!: string;

  @Field(() => String, { nullable: true, description: 'Where the logo was taken from; null without one.' })
  logoUrl!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Where the panel serves its own copy of the logo, without scripts; null when there is none or it could not be fetched.',
  })
  logoSource!: string | null;

  @Field(() => String, { description: 'The colour of buttons and headings, `#rrggbb`.' })
  primaryColor!: string;

  @Field(() => String, { nullable: true, description: 'Where users turn for help; null without one.' })
  supportEmail!: string | null;

  @Field(() => Boolean, {
    description: 'Whether it is that of the provider, as the tenant has none of its own.',
  })
  isInherited!: boolean;

  @Field(() => [String], {
    description: 'What is allowed but not well: a colour that text is hard to read on, a logo out of reach.',
  })
  warnings!: string[];
}

@InputType({ description: 'What changes about the branding; fields that are absent or null stay.' })
export class UpdateBrandingInput {
  @Field(() => String, { nullable: true, description: 'The name that is shown; 1 to 200 characters.' })
  companyName?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'An https address of a PNG, JPEG, WebP or SVG of at most 512 KiB. SVGs that hold scripts or refer elsewhere are refused; empty for none.',
  })
  logoUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'A colour, `#rrggbb` and nothing else.' })
  primaryColor?: string | null;

  @Field(() => String, { nullable: true, description: 'Where users turn for help; empty for nowhere.' })
  supportEmail?: string | null;
}

export const updateBrandingRules = z.object({
  companyName: shownName('Company name').nullish(),
  logoUrl: z
    .string()
    .max(2_000, 'Logo URL must have at most 2000 characters')
    .refine((text) => text === '' || isHttps(text), 'Logo URL must be an https address')
    .nullish(),
  // Ends up in style sheets, so nothing but a colour gets in.
  primaryColor: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'Primary colour must be #rrggbb')
    .nullish(),
  supportEmail: z.union([z.literal(''), emailAddress]).nullish(),
});

function isHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '';
}
