import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { insteadOf, MinorUnits } from '../money/minor-units.js';

export enum InvoiceStatus {
  OPEN = 'OPEN',
  PAID = 'PAID',
  UNCOLLECTIBLE = 'UNCOLLECTIBLE',
  VOID = 'VOID',
}

registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'What became of an invoice.',
  valuesConfig: {
    OPEN: { description: 'To be paid.' },
    PAID: { description: 'Paid, or nothing was due.' },
    UNCOLLECTIBLE: { description: 'Given up.' },
    VOID: { description: 'Taken back.' },
  },
});

@ObjectType({ description: 'An invoice, as the payment provider made it.' })
export class Invoice {
  @Field(() => ID, { description: "The payment provider's id, which starts with `in_`." })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The number on it.' })
  number!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  date!: Date;

  @Field(() => DateTime, { description: 'The first moment that it is for.' })
  periodStart!: Date;

  @Field(() => DateTime, { description: 'The last second that it is for.' })
  periodEnd!: Date;

  @Field(() => Int, {
    description: 'What is or was to be paid, in minor units of the currency.',
    deprecationReason: insteadOf('amountDueExact'),
  })
  amountDue!: number;

  @Field(() => MinorUnits, { description: 'What is or was to be paid, with taxes.' })
  amountDueExact!: number;

  @Field(() => Int, {
    description:
      'What credit notes have taken off it since it was paid, in minor units: paid back, or kept for later invoices.',
    deprecationReason: insteadOf('amountCreditedExact'),
  })
  amountCredited!: number;

  @Field(() => MinorUnits, {
    description:
      'What credit notes have taken off it since it was paid: paid back, or kept for later invoices.',
  })
  amountCreditedExact!: number;

  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  currency!: string;

  @Field(() => InvoiceStatus, { description: 'What became of it.' })
  status!: InvoiceStatus;

  @Field(() => String, {
    nullable: true,
    description: "Where it can be had as a PDF, at the payment provider's.",
  })
  pdfUrl!: string | null;
}

@ObjectType({ description: 'One page of invoices.' })
export class InvoicePage extends pageOf(Invoice, 'Invoice') {
  @Field(() => Int, { description: 'How many seconds ago the payment provider was asked for them.' })
  ageSeconds!: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Says that they may be out of date, as in the HTTP header `Warning`; null when they are not.',
  })
  warning!: string | null;
}
