import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';
import { PageArgs } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { Instance } from '../instance/instance.entity.js';
import { InputWarning, unknownFieldsDescription } from '../reported/input-warning.js';
import { EnrollmentToken } from './enrollment-token.entity.js';
import { isHostName, isLooseHostName, normalAddress, normalHostName } from './host-name.js';

const tag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'A tag has 1 to 64 of a-z, 0-9, ".", "_", ":" and "-"');
const label = (what: string) =>
  z.string().trim().min(1, `${what} is required`).max(200, `${what} must have at most 200 characters`);

@InputType({ description: 'Narrows a list of enrollment tokens; what is left out does not narrow.' })
export class EnrollmentTokenFilter {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Only those by which nodes can come in now, or only those that are revoked, expired or used up.',
  })
  isOpen?: boolean | null;
}

@ArgsType()
export class EnrollmentTokensArgs extends PageArgs {
  @Field(() => EnrollmentTokenFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: EnrollmentTokenFilter | null;
}

@InputType({ description: 'A new enrollment token.' })
export class CreateEnrollmentTokenInput {
  @Field(() => String, { description: 'What the token is for; 1 to 200 characters.' })
  name!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Hours until it stops working, 1 to 8760; 24 unless told.',
  })
  expiresInHours?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many instances may enroll with it, 1 to 100000; any number unless told.',
  })
  maxUses?: number | null;

  @Field(() => [String], { nullable: true, description: 'Tags for the instances, at most 20.' })
  tags?: string[] | null;
}

export const createEnrollmentTokenRules = z.object({
  name: label('Name'),
  expiresInHours: z
    .number()
    .min(1, 'Expires in hours must be from 1 to 8760')
    .max(8760, 'Expires in hours must be from 1 to 8760')
    .nullish(),
  maxUses: z
    .number()
    .min(1, 'Max uses must be from 1 to 100000')
    .max(100_000, 'Max uses must be from 1 to 100000')
    .nullish(),
  tags: z.array(tag).max(20, 'At most 20 tags').nullish(),
});

@InputType({ description: 'An enrollment token for one server that is being provisioned.' })
export class CreateServerEnrollmentTokenInput {
  @Field(() => String, { description: 'The server, as hosting knows it.' })
  serverId!: string;

  @Field(() => String, { description: 'What the token is for; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'The only host name that may come in by it.' })
  hostname!: string;

  @Field(() => Int, { description: 'Hours until it stops working and its place is free again, 1 to 24.' })
  expiresInHours!: number;

  @Field(() => [String], { nullable: true, description: 'Tags for the instance, at most 20.' })
  tags?: string[] | null;
}

export const createServerEnrollmentTokenRules = z.object({
  serverId: z.string().regex(/^srv_\w{1,60}$/, 'Server must be the id of a server'),
  name: label('Name'),
  hostname: z
    .string()
    .refine((name) => isHostName(normalHostName(name)), 'Hostname must be a host name (RFC 1123)'),
  expiresInHours: z
    .number()
    .min(1, 'Expires in hours must be from 1 to 24')
    .max(24, 'Expires in hours must be from 1 to 24'),
  tags: z.array(tag).max(20, 'At most 20 tags').nullish(),
});

@ObjectType({ description: 'A new enrollment token. The secret is in this answer and nowhere else.' })
export class CreateEnrollmentTokenPayload {
  @Field(() => String, { description: 'The secret, starting with `flt_`. Shown once.' })
  token!: string;

  @Field(() => EnrollmentToken, { description: 'The token as it is listed.' })
  enrollmentToken!: EnrollmentToken;

  @Field(() => String, { description: 'What the token is for.' })
  name!: string;

  @Field(() => DateTime, { description: 'When it stops working.' })
  expiresAt!: Date;
}

@InputType({ description: 'A node that wants to join, and the enrollment token that lets it.' })
export class EnrollInstanceInput {
  @Field(() => String, { description: 'An enrollment token; at most 200 characters.' })
  token!: string;

  @Field(() => String, { description: 'The name shown to people; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, {
    description:
      "The node's host name (RFC 1123), at most 253 characters. An international one is taken in ASCII, a dot at its end is left out; one with " +
      'underscores is taken where the base URL tells how browsers get there.',
  })
  hostname!: string;

  @Field(() => String, { description: 'The version of Cloud OS; of a longer one the first 64 characters.' })
  version!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Where browsers reach the node, at most 2000 characters; https://{hostname} unless told.',
  })
  baseUrl?: string | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Redirect URIs for "Sign in with Quazzar Cloud", at most 10 of at most 2000 characters, all under the base URL. Codes are only sent to https, ' +
      "or to the user's own machine: of others the warnings tell.",
  })
  redirectUris?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: "The node's public key (PEM), at most 8000 characters, kept for later use.",
  })
  publicKey?: string | null;

  @Field(() => String, {
    nullable: true,
    description: idempotencyKeyText,
  })
  idempotencyKey?: string | null;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}

const httpUrl = (what: string) =>
  z
    .url({ protocol: /^https?$/, error: `${what} must be an http or https URL` })
    .max(2000, `${what} must have at most 2000 characters`)
    .refine(isPlain, `${what} must have neither credentials nor a fragment`);

function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return true; // Said already.
  const url = new URL(text);
  return url.username === '' && url.password === '' && !url.href.includes('#');
}

function isUnder(base: URL, url: URL): boolean {
  const folder = base.pathname.replace(/\/?$/, '/');
  const { origin } = new URL(normalAddress(url.href));
  return origin === base.origin && `${url.pathname}/`.startsWith(folder);
}

export const enrollInstanceRules = z
  .object({
    token: z.string().trim().min(1, 'Token is required').max(200, 'Token must have at most 200 characters'),
    name: label('Name'),
    hostname: z
      .string()
      .refine((name) => normalHostName(name).length <= 253, 'Hostname must have at most 253 characters')
      .refine((name) => isLooseHostName(normalHostName(name)), 'Hostname must be a host name (RFC 1123)'),
    version: z.string().trim().min(1, 'Version is required'),
    baseUrl: httpUrl('Base URL').nullish(),
    redirectUris: z.array(httpUrl('Redirect URI')).max(10, 'At most 10 redirect URIs').nullish(),
    publicKey: z.string().max(8_000, 'Public key must have at most 8000 characters').nullish(),
  })
  .superRefine((input, context) => {
    // Runs beside the rules above: what they refuse may not be an URL at all.
    const hostname = normalHostName(input.hostname);
    if (input.baseUrl == null && isLooseHostName(hostname) && !isHostName(hostname)) {
      context.addIssue({
        code: 'custom',
        path: ['hostname'],
        message: 'Hostname has an underscore, which browsers cannot look up: tell the base URL too',
      });
    }
    const address = normalAddress(input.baseUrl ?? `https://${hostname}`);
    if (!URL.canParse(address)) return;
    const base = new URL(address);
    for (const [index, uri] of (input.redirectUris ?? []).entries()) {
      if (!URL.canParse(uri) || isUnder(base, new URL(uri))) continue;
      context.addIssue({
        code: 'custom',
        path: ['redirectUris', index],
        message: `Redirect URI must be under ${base.href}`,
      });
    }
  });

export type EnrollInstanceRules = z.infer<typeof enrollInstanceRules>;

@ObjectType({
  description: 'The answer to a node that has joined. The credential is in this answer and nowhere else.',
})
export class EnrollInstancePayload {
  @Field(() => Instance, { description: 'The new instance.' })
  instance!: Instance;

  @Field(() => ID, { description: "The new instance's id." })
  instanceId!: string;

  @Field(() => String, {
    description: 'The JWT that the node authenticates with from now on; ends after 30 days.',
  })
  credential!: string;

  @Field(() => Int, { description: 'Seconds between beats.' })
  heartbeatSeconds!: number;

  @Field(() => [InputWarning], {
    nullable: true,
    description:
      'What was not taken as it came, and redirect URIs that sign-in will refuse; null when there is nothing to tell.',
  })
  warnings!: InputWarning[] | null;
}
