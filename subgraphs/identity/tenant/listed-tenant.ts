import { ArgsType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { Plan } from '#platform/entitlement/plans.js';
import { PageArgs, pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum TenantStatus {
  ACTIVE = 'ACTIVE',
  SUSPENDED = 'SUSPENDED',
}

registerEnumType(TenantStatus, {
  name: 'TenantStatus',
  description: 'Whether a tenant may be used.',
  valuesConfig: {
    ACTIVE: { description: 'It may.' },
    SUSPENDED: { description: 'Its users, nodes and API keys are refused.' },
  },
});

export enum TenantSuspender {
  PANEL = 'PANEL',
  PROVIDER = 'PROVIDER',
}

registerEnumType(TenantSuspender, {
  name: 'TenantSuspender',
  description: 'Who may suspend a tenant. Of two who have, each restores it from their own suspension only.',
  valuesConfig: {
    PANEL: { description: "The panel's administrators." },
    PROVIDER: { description: 'The provider whose client it is.' },
  },
});

@ObjectType({ description: 'An owner of a tenant.' })
export class TenantOwner {
  @Field(() => ID, { description: 'The user.' })
  id!: string;

  @Field(() => String, { description: 'The sign-in name.' })
  email!: string;
}

@ObjectType({ description: "A tenant as the platform's administrators see it." })
export class ListedTenant {
  @Field(() => ID, { description: 'Starts with `org_`.' })
  id!: string;

  @Field(() => String, { description: 'The name of the organization.' })
  name!: string;

  @Field(() => Plan, { description: 'The plan in force.' })
  plan!: Plan;

  @Field(() => TenantStatus, { description: 'Whether it may be used.' })
  status!: TenantStatus;

  @Field(() => [TenantOwner], { description: 'Its owners, oldest first; none yet in a new MSP client.' })
  owners!: TenantOwner[];

  @Field(() => ID, {
    nullable: true,
    description: 'The tenant that manages it as its client; null for others.',
  })
  providerId!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'Since when it is suspended; null while it is not.' })
  suspendedAt!: Date | null;

  @Field(() => [TenantSuspender], {
    description: 'Who has suspended it; empty while nobody has, and while it is only closed.',
  })
  suspendedBy!: TenantSuspender[];

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it will be erased, since it was closed or, as a client, deleted. Null otherwise.',
  })
  eraseAt!: Date | null;
}

export const ListedTenantPage = pageOf(ListedTenant, 'ListedTenant');

@InputType({ description: 'Which tenants; all that is given has to fit.' })
export class TenantFilter {
  @Field(() => String, {
    nullable: true,
    description:
      "What to look for, at most 254 characters: an id, the beginning of an owner's e-mail address, or beginnings of words " +
      'of the name.',
  })
  search?: string | null;

  @Field(() => Plan, { nullable: true, description: 'Those with this plan in force.' })
  plan?: Plan | null;

  @Field(() => TenantStatus, { nullable: true, description: 'Those with this status.' })
  status?: TenantStatus | null;
}

@ArgsType()
export class TenantsArgs extends PageArgs {
  @Field(() => TenantFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: TenantFilter | null;
}

export const tenantFilterRules = z.object({
  search: z.string().trim().max(254, 'Search must have at most 254 characters').nullish(),
  plan: z.enum(Plan).nullish(),
  status: z.enum(TenantStatus).nullish(),
});
