import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { ServerLeftover } from './leftovers.js';
import { ServerPhase } from './server.phases.js';
import type { KeptStep } from './server.steps.js';

@Entity({ tableName: 'server' })
@ObjectType({ description: 'A server at a provider, from the wish for it to its end.' })
@Directive('@key(fields: "id")')
export class Server {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `srv_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Rises with every change, so that a step that was overtaken changes nothing. */
  @Property({ type: 'bigint' })
  version!: string;

  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  @Property({ type: 'text' })
  provider!: string;

  @Field(() => String, { description: 'Its name, at the provider as well, and its host name.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'The region, as it was asked for: a location or a zone.' })
  @Property({ type: 'text' })
  region!: string;

  @Field(() => String, { description: 'The location that was chosen in the region.' })
  @Property({ type: 'text' })
  location!: string;

  @Field(() => String, { description: "The provider's size." })
  @Property({ type: 'text' })
  size!: string;

  @Field(() => [String], {
    description:
      'SSH keys that may log in, by their names at the provider, as asked for; none of one that was found there.',
  })
  @Property({ type: 'text[]' })
  sshKeys!: string[];

  @Field(() => [String], { description: 'The tags with which its node comes into the fleet.' })
  @Property({ type: 'text[]' })
  tags!: string[];

  @Field(() => Boolean, { description: 'Whether it is to become a node with Cloud OS.' })
  @Property({ type: 'boolean' })
  installCloudOs!: boolean;

  @Field(() => Boolean, { description: 'Whether it can not be decommissioned before that is taken off.' })
  @Property({ type: 'boolean' })
  isProtected!: boolean;

  @Field(() => ServerPhase, { description: 'How far it is.' })
  @Property({ type: 'text' })
  phase!: ServerPhase;

  @Field(() => DateTime, { description: 'Since when it is in this phase.' })
  @Property({ type: 'datetime' })
  phaseAt!: Date;

  /** The phases that it has come to, oldest first, of which the last fifty are kept. */
  @Property({ type: 'json' })
  steps!: readonly KeptStep[];

  @Field(() => String, {
    nullable: true,
    description:
      'Why it is as it is, for programs; null when all is well. `SOLD_OUT`, `NAME_TAKEN`, `QUOTA_REACHED`, `REFUSED`, ' +
      '`TOKEN_REFUSED`, `TENANT_SUSPENDED`, `PROVIDER_AWAY`, `PROVIDER_FAILED`, `ENROLLMENT_TIMED_OUT`, `SERVER_GONE`, `UNASKED`, ' +
      '`DELETION_DELAYED`, `LEFT_BEHIND`, `LEFTOVERS` (it is deleted, and `leftovers` are not).',
  })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Field(() => Int, { description: 'How far the provider is with what it is at work on, in percent.' })
  @Property({ type: 'integer' })
  progress!: number;

  @Field(() => String, {
    nullable: true,
    description: 'The id that it has at its provider, which is not `Provider.id`; null before it is known.',
  })
  @Property({ type: 'text', nullable: true })
  providerId!: string | null;

  @Property({ type: 'text[]' })
  operationIds!: string[];

  @Property({ type: 'integer' })
  createCalls!: number;

  @Property({ type: 'datetime', nullable: true })
  lastCallAt!: Date | null;

  /** Until when whoever makes a call that creates has it to themselves; null while nobody does. */
  @Property({ type: 'datetime', nullable: true })
  callingUntil!: Date | null;

  @Property({ type: 'integer' })
  failures!: number;

  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  drainUntil!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  missingSince!: Date | null;

  @Field(() => String, { nullable: true, description: 'Its public IPv4 address; null before it has one.' })
  @Property({ type: 'text', nullable: true })
  ipAddress!: string | null;

  @Field(() => ID, { nullable: true, description: 'Its node in the fleet; null before it has enrolled.' })
  @Property({ type: 'text', nullable: true })
  instanceId!: string | null;

  @Property({ type: 'text', nullable: true })
  enrollmentTokenId!: string | null;

  @Property({ type: 'text', nullable: true })
  sealedToken!: string | null;

  @Field(() => Float, {
    description: 'Net price of an hour when it was asked for, in major units, without its address.',
  })
  @Property({ type: 'double' })
  priceHourly!: number;

  @Field(() => Float, {
    description:
      'Net price of a month, in major units, which is the most that a month costs, without its address.',
  })
  @Property({ type: 'double' })
  priceMonthly!: number;

  @Field(() => Float, {
    description:
      'Net price of an hour of its public IPv4 address, in major units; 0 where it comes with the server.',
  })
  @Property({ type: 'double', name: 'ipv4_price_hourly' })
  ipv4PriceHourly!: number;

  @Field(() => Float, {
    description:
      'Net price of a month of that address, in major units, which is the most that a month of it costs.',
  })
  @Property({ type: 'double', name: 'ipv4_price_monthly' })
  ipv4PriceMonthly!: number;

  @Field(() => String, { description: 'ISO 4217, in upper case.' })
  @Property({ type: 'text' })
  currency!: string;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => String, {
    description:
      'Who asked for it: the id of a user, an API key or a service; `unknown` of one that was found at its provider.',
  })
  @Property({ type: 'text' })
  createdBy!: string;

  @Property({ type: 'datetime', nullable: true })
  billedFrom!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  billedTo!: Date | null;

  @Field(() => [ServerLeftover], {
    description:
      'What stays at the provider, and goes on costing, of what people had attached to it there: looked for when it is deleted, ' +
      'as far as the token shows it, 100 at the most. Nothing of it is deleted. Empty before.',
  })
  @Property({ type: 'json' })
  leftovers!: readonly ServerLeftover[];

  @Field(() => DateTime, { nullable: true, description: 'When it was ready; null when it never was.' })
  @Property({ type: 'datetime', nullable: true })
  readyAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was gone; null while it is not.' })
  @Property({ type: 'datetime', nullable: true })
  deletedAt!: Date | null;
}

@ObjectType({ description: 'One page of servers.' })
export class ServerPage extends pageOf(Server, 'Server') {}
