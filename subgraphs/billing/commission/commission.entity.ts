import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

const bigint = new BigIntType('number');

/** Rows are added only. */
@Entity({ tableName: 'commission' })
@ObjectType({ description: 'What a partner earned by one invoice that a customer of it paid.' })
export class Commission {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `com_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  partnerId!: string;

  @Field(() => ID, { description: 'The tenant that paid: a client, or the partner itself.' })
  @Property({ type: 'text' })
  customerId!: string;

  @Field(() => ID, { description: "The payment provider's id, which starts with `in_`." })
  @Property({ type: 'text' })
  invoiceId!: string;

  @Field(() => ID, { nullable: true, description: 'The tier of the partner then; null for none.' })
  @Property({ type: 'text', nullable: true })
  tier!: string | null;

  @Field(() => Float, { description: 'What was paid: whole minor units of the currency.' })
  @Property({ type: bigint })
  amountPaid!: number;

  @Field(() => Int, { description: 'How much of it is earned, in percent.' })
  @Property({ type: 'integer' })
  commissionPercent!: number;

  @Field(() => Float, {
    description: 'What is earned: whole minor units of the currency, halves rounded up.',
  })
  @Property({ type: bigint })
  amount!: number;

  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  @Property({ type: 'text' })
  currency!: string;

  @Field(() => DateTime, { description: 'When it was paid.' })
  @Property({ type: 'datetime' })
  paidAt!: Date;
}

@ObjectType({ description: 'The sum of a ledger in one currency.' })
export class CommissionTotal {
  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  currency!: string;

  @Field(() => Float, { description: 'What customers paid: whole minor units.' })
  amountPaid!: number;

  @Field(() => Float, { description: 'What the partner earned by it: whole minor units.' })
  amount!: number;
}

@ObjectType({ description: 'One page of a ledger of commissions.' })
export class CommissionPage extends pageOf(Commission, 'Commission') {
  readTotals!: () => Promise<CommissionTotal[]>;

  @Field(() => [CommissionTotal], { description: 'Sums of the whole ledger, one for each currency.' })
  async totals(): Promise<CommissionTotal[]> {
    return this.readTotals();
  }
}
