import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';

import { ServerStatus } from './server.phases.js';

@InputType({ description: 'A server that is wanted.' })
export class ProvisionServerInput {
  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  provider!: string;

  @Field(() => String, {
    description: 'A location of the provider (`fsn1`), or a zone of several (`eu-central`).',
  })
  region!: string;

  @Field(() => String, { description: "The provider's size: `cx31`." })
  size!: string;

  @Field(() => String, {
    description:
      'Its name and host name: 1 to 63 letters, digits and hyphens, not digits alone. One server of the tenant at the ' +
      'provider has it.',
  })
  name!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it becomes a node with Cloud OS; it does unless told.',
  })
  installCloudOs?: boolean | null;

  @Field(() => [String], {
    nullable: true,
    description: 'SSH keys that may log in, by their names at the provider; at most 10.',
  })
  sshKeys?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Tags for its node, at most 20, as enrollment tokens have them. Policies for instances with these tags are asked ' +
      'before it is made.',
  })
  tags?: string[] | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it is protected from the start.' })
  isProtected?: boolean | null;

  @Field(() => String, { nullable: true, description: idempotencyKeyText })
  idempotencyKey?: string | null;
}

const word = (what: string) =>
  z.string().trim().min(1, `${what} is required`).max(100, `${what} must have at most 100 characters`);

export const provisionServerRules = z.object({
  provider: word('Provider'),
  region: word('Region'),
  size: word('Size'),
  name: z
    .string()
    .trim()
    .regex(
      /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      'Name must have 1 to 63 letters, digits and hyphens, and begin and end without a hyphen',
    )
    .regex(/\D/, 'Name must not be of digits alone'),
  installCloudOs: z.boolean().nullish(),
  sshKeys: z.array(word('SSH key')).max(10, 'At most 10 SSH keys').nullish(),
  tags: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'A tag has 1 to 64 of a-z, 0-9, ".", "_", ":" and "-"'),
    )
    .max(20, 'At most 20 tags')
    .nullish(),
  isProtected: z.boolean().nullish(),
});

@InputType({ description: 'A server that is to go.' })
export class DecommissionServerInput {
  @Field(() => ID, { description: 'The server.' })
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'How many seconds commands under way on its node may take to end, 0 to 3600; 60 unless told.',
  })
  drainSeconds?: number | null;

  @Field(() => String, { nullable: true, description: idempotencyKeyText })
  idempotencyKey?: string | null;
}

export const decommissionServerRules = z.object({
  id: z.string(),
  drainSeconds: z
    .number()
    .min(0, 'Drain seconds must be from 0 to 3600')
    .max(3600, 'Drain seconds must be from 0 to 3600')
    .nullish(),
});

@InputType({ description: 'Narrows a list of servers; what is left out does not narrow.' })
export class ServerFilter {
  @Field(() => ServerStatus, {
    nullable: true,
    description: 'Only servers in this status; all but deleted ones unless told.',
  })
  status?: ServerStatus | null;

  @Field(() => String, { nullable: true, description: 'Only those at this provider.' })
  provider?: string | null;
}
