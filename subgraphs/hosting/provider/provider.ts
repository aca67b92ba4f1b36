import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum ProviderStatus {
  ACTIVE = 'ACTIVE',
  FAILING = 'FAILING',
  UNCONFIGURED = 'UNCONFIGURED',
}

registerEnumType(ProviderStatus, {
  name: 'ProviderStatus',
  description: 'Whether servers can be had from a provider.',
  valuesConfig: {
    ACTIVE: { description: 'The tenant has an account with it, whose token it took when last asked.' },
    FAILING: { description: 'It refused the token when last asked.' },
    UNCONFIGURED: { description: 'The tenant has no account with it yet.' },
  },
});

@ObjectType({ description: 'Somebody who rents out servers, and how the tenant stands with them.' })
export class Provider {
  @Field(() => ID, {
    description: 'By which it is named as `provider` everywhere: `hetzner` or `digitalocean`.',
  })
  id!: string;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => ProviderStatus, { description: 'Whether servers can be had from it.' })
  status!: ProviderStatus;

  @Field(() => Boolean, { description: 'Whether the tenant has connected an account.' })
  configured!: boolean;

  @Field(() => Boolean, {
    description: 'Whether a stand-in is in its place: nothing is really rented, and nothing costs money.',
  })
  sandbox!: boolean;

  @Field(() => [String], {
    description: 'The ids of its regions, as it last told; none before an account is connected.',
  })
  regions!: string[];

  @Field(() => String, { nullable: true, description: 'Why it refuses the token; null while it does not.' })
  problem!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was last asked; null when it never was.' })
  lastCheckedAt!: Date | null;
}

@InputType({ description: "A tenant's account with a provider." })
export class ConnectProviderInput {
  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  provider!: string;

  @Field(() => String, {
    description:
      'An API token that may read and write; of chosen scopes at DigitalOcean, all of those of droplets, tags and SSH keys. It is tried, sealed, and never shown again.',
  })
  token!: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether servers that were made with the token before, and that this one does not show, may be left behind. They stay ' +
      'at the provider and cost what they cost; here they fail as gone (`SERVER_GONE`). Not unless told.',
  })
  leavesServers?: boolean | null;
}

export const connectProviderRules = z.object({
  provider: z.string().min(1, 'Provider is required').max(50, 'Provider must have at most 50 characters'),
  token: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{16,500}$/, 'Token must have 16 to 500 visible ASCII characters'),
  leavesServers: z.boolean().nullish(),
});
