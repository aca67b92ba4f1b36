import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { PageArgs } from '#platform/subgraph/paging.js';

import { PartnerStatus } from './partner.entity.js';

@InputType({ description: 'Which partners; all that is given has to fit.' })
export class PartnerFilter {
  @Field(() => ID, { nullable: true, description: 'Those that this organization has registered.' })
  tenantId?: string | null;

  @Field(() => PartnerStatus, { nullable: true, description: 'Those about which this was decided.' })
  status?: PartnerStatus | null;
}

@ArgsType()
export class PartnersArgs extends PageArgs {
  @Field(() => PartnerFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: PartnerFilter | null;
}

@ArgsType()
export class PartnerChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this partner.' })
  partnerId?: string | null;
}

@InputType({ description: 'How a tenant presents itself as a partner.' })
export class RegisterPartnerInput {
  @Field(() => String, { description: 'The name of the organization; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'Whom to turn to: an e-mail address.' })
  contactEmail!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Its page: an http or https address of at most 500 characters.',
  })
  website?: string | null;
}

@InputType({ description: 'What changes about a partner; fields that are absent or null stay.' })
export class UpdatePartnerInput {
  @Field(() => String, { nullable: true, description: 'The new name; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Whom to turn to: an e-mail address.' })
  contactEmail?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Its page: an http or https address of at most 500 characters; empty for none.',
  })
  website?: string | null;
}

@InputType({ description: 'A partner that is approved, and what was agreed with it.' })
export class ApprovePartnerInput {
  @Field(() => ID, { description: 'The partner.' })
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'How much of what its customers pay it earns from now on, in percent; 0 to 100. As it was unless told: 0 at first.',
  })
  commissionPercent?: number | null;
}

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');

const contactEmail = z
  .string()
  .trim()
  .pipe(
    z
      .email('Contact email must be an e-mail address')
      .max(254, 'Contact email must have at most 254 characters'),
  );

const website = z
  .string()
  .trim()
  .max(500, 'Website must have at most 500 characters')
  .pipe(z.url({ protocol: /^https?$/, error: 'Website must be an http or https address' }));

export const registerPartnerRules = z.object({ name, contactEmail, website: website.nullish() });

export const updatePartnerRules = z.object({
  name: name.nullish(),
  contactEmail: contactEmail.nullish(),
  website: z.union([z.literal(''), website]).nullish(),
});

export const approvePartnerRules = z.object({
  id: z.string(),
  commissionPercent: z
    .int('Commission percent must be a whole number')
    .min(0, 'Commission percent must be at least 0')
    .max(100, 'Commission percent must be at most 100')
    .nullish(),
});
