import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { MinorUnits } from '../money/minor-units.js';

const bigint = new BigIntType('number');

export enum CommissionKind {
  PAYMENT = 'PAYMENT',
  REFUND = 'REFUND',
}
registerEnumType(CommissionKind, {
  name: 'CommissionKind',
  description: 'What an entry of a ledger of commissions is about.',
  valuesConfig: {
    PAYMENT: { description: 'A customer paid an invoice.' },
    REFUND: {
      description:
        'Money of that payment went back to the customer by a refund or a dispute, or a refund of it failed or a dispute ' +
        'of it was won and it did not.',
    },
  },
});

/** Rows are added only. */
@Entity({ tableName: 'commission' })
@ObjectType({
  description:
    'What a partner earned by one invoice that a customer of it paid, or what a refund took back of it: entries of an invoice sum to the commission on what is left of the payment.',
})
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

  /** 0 for the payment. */
  @Property({ type: 'integer' })
  entry!: number;

  @Field(() => CommissionKind, { description: 'A payment, or a refund of one.' })
  kind(): CommissionKind {
    return this.entry === 0 ? CommissionKind.PAYMENT : CommissionKind.REFUND;
  }

  @Field(() => ID, {
    nullable: true,
    description: 'The tier of the partner when it was paid; null for none.',
  })
  @Property({ type: 'text', nullable: true })
  tier!: string | null;

  @Field(() => Float, {
    description: 'What was paid: whole minor units of the currency. Negative for what went back.',
  })
  @Property({ type: bigint })
  amountPaid!: number;

  /** Null where it was booked before taxes were told apart: all of it earned then. */
  @Property({ type: bigint, nullable: true })
  netAmount!: number | null;

  @Field(() => MinorUnits, {
    description:
      'What of it is without taxes, which is what earns. As much as was paid where it was booked before these were told apart.',
  })
  amountNet(): number {
    return this.netAmount ?? this.amountPaid;
  }

  @Field(() => Int, { description: 'How much of what is without taxes is earned, in percent.' })
  @Property({ type: 'integer' })
  commissionPercent!: number;

  @Field(() => Float, {
    description:
      'What is earned: whole minor units of the currency, halves rounded up. Negative for what a refund takes back.',
  })
  @Property({ type: bigint })
  amount!: number;

  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  @Property({ type: 'text' })
  currency!: string;

  @Field(() => DateTime, { description: 'When it was paid, or went back.' })
  @Property({ type: 'datetime' })
  paidAt!: Date;
}

@ObjectType({ description: 'The sum of a ledger in one currency.' })
export class CommissionTotal {
  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  currency!: string;

  @Field(() => Float, { description: 'What customers paid and did not get back: whole minor units.' })
  amountPaid!: number;

  @Field(() => MinorUnits, { description: 'What of that is without taxes.' })
  amountNet!: number;

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
