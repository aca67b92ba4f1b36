import { Field, Float, InputType, ObjectType } from 'type-graphql';
import { z } from 'zod';

@ObjectType({ description: "What the tenant's servers cost, net, in one currency." })
export class HostingCost {
  @Field(() => String, { description: 'ISO 4217, in upper case.' })
  currency!: string;

  @Field(() => Float, {
    description:
      'An hour of all servers that are there or on their way, with their public IPv4 addresses, in major units.',
  })
  perHour!: number;

  @Field(() => Float, { description: 'The most that a month of them costs, in major units.' })
  perMonth!: number;

  @Field(() => Float, {
    description:
      'What the calendar month (UTC) has cost so far, in major units: begun hours, and of each server and each address no more ' +
      'than a month.',
  })
  thisMonth!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The most that a month may cost, in major units; null without a budget.',
  })
  budget!: number | null;
}

@ObjectType({ description: 'What one server more would cost, net.' })
export class ServerForecast {
  @Field(() => String, { description: 'The location that would be chosen now.' })
  location!: string;

  @Field(() => Float, { description: 'What an hour of it costs, in major units, without its address.' })
  priceHourly!: number;

  @Field(() => Float, {
    description: 'The most that a month of it costs, in major units, without its address.',
  })
  priceMonthly!: number;

  @Field(() => Float, {
    description:
      'What an hour of its public IPv4 address costs, in major units; 0 where it comes with the server.',
  })
  ipv4PriceHourly!: number;

  @Field(() => Float, { description: 'The most that a month of that address costs, in major units.' })
  ipv4PriceMonthly!: number;

  @Field(() => String, { description: 'ISO 4217, in upper case.' })
  currency!: string;

  @Field(() => Float, {
    description: 'The most that a month of all servers and their addresses costs now, in major units.',
  })
  perMonthNow!: number;

  @Field(() => Float, { description: 'The most that it would cost then, in major units.' })
  perMonthThen!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The most that a month may cost, in major units; null without a budget.',
  })
  budget!: number | null;

  @Field(() => Boolean, { description: 'Whether it fits into the budget.' })
  fits!: boolean;
}

@InputType({ description: 'The most that the servers of a tenant may cost.' })
export class SetHostingBudgetInput {
  @Field(() => Float, {
    nullable: true,
    description: 'A month of all servers in this currency, net, in major units; null takes the budget off.',
  })
  monthlyLimit?: number | null;

  @Field(() => String, { description: 'ISO 4217, in upper case: `EUR`.' })
  currency!: string;
}

export const setHostingBudgetRules = z.object({
  monthlyLimit: z
    .number()
    .min(0, 'Monthly limit must be from 0 to 1000000000')
    .max(1_000_000_000, 'Monthly limit must be from 0 to 1000000000')
    .nullish(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'Currency must be three capital letters (ISO 4217)'),
});

const hourMs = 3_600_000;

export interface Priced {
  priceHourly: number;
  priceMonthly: number;
  ipv4PriceHourly: number;
  ipv4PriceMonthly: number;
}

/** The first moment of the calendar month after this one (UTC). */
function nextMonth(at: Date): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
}

/**
 * What a server and its address have cost from one moment to another: in each calendar month begun hours, and of either no
 * more than its month.
 */
export function costBetween(priced: Priced, from: Date, to: Date): number {
  let sum = 0;
  for (let start = from; start < to;) {
    const end = new Date(Math.min(nextMonth(start).getTime(), to.getTime()));
    const hours = Math.ceil((end.getTime() - start.getTime()) / hourMs);
    sum += Math.min(hours * priced.priceHourly, priced.priceMonthly);
    sum += Math.min(hours * priced.ipv4PriceHourly, priced.ipv4PriceMonthly);
    start = end;
  }
  return rounded(sum);
}

/** Hours cost parts of cents. */
export function rounded(amount: number): number {
  return Math.round(amount * 1_000_000) / 1_000_000;
}
