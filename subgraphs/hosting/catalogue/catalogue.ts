import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

@ObjectType({ description: 'A place where a provider has servers.' })
export class Region {
  @Field(() => ID, { description: 'As the provider names it: `fsn1`.' })
  id!: string;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  provider!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The zone that it is in, which may be asked for in its place: `eu-central`; null without one.',
  })
  zone!: string | null;

  @Field(() => String, { nullable: true, description: 'ISO 3166-1; null when it was not told.' })
  country!: string | null;

  @Field(() => String, { nullable: true, description: 'The nearest city; null when it was not told.' })
  city!: string | null;

  @Field(() => Boolean, { description: 'Whether any size can be had there now.' })
  available!: boolean;
}

@ObjectType({ description: 'A kind of server that a provider rents out, and what it costs without tax.' })
export class Size {
  @Field(() => ID, { description: 'As the provider names it: `cx31`.' })
  id!: string;

  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  provider!: string;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => Int, { description: 'Virtual processors.' })
  vcpus!: number;

  @Field(() => Float, { description: 'Memory in GB.' })
  memoryGb!: number;

  @Field(() => Float, { description: 'Disk in GB.' })
  diskGb!: number;

  @Field(() => String, { description: 'The processors: `x86` or `arm`.' })
  architecture!: string;

  @Field(() => Float, {
    description:
      'The most that a month costs, in major units, without its address: where it is cheapest in the region that was ' +
      'asked for, of the places where it can be had now if there are any.',
  })
  priceMonthly!: number;

  @Field(() => Float, { description: 'What an hour costs there, in major units, without its address.' })
  priceHourly!: number;

  @Field(() => Float, {
    description:
      "The most that a month of a server's public IPv4 address costs there, in major units; 0 where it comes with the server.",
  })
  ipv4PriceMonthly!: number;

  @Field(() => Float, { description: 'What an hour of that address costs there, in major units.' })
  ipv4PriceHourly!: number;

  @Field(() => String, { description: 'ISO 4217, in upper case.' })
  currency!: string;

  @Field(() => Boolean, { description: 'Whether it is sold no more, or will not be for long.' })
  deprecated!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'After which moment it is sold no more; null while no end was told.',
  })
  endsAt!: Date | null;

  @Field(() => [String], { description: 'The regions where it can be had now.' })
  availableIn!: string[];
}
