import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { tierOf } from './partner-tiers.js';

export enum PartnerStatus {
  PENDING = 'PENDING',
  APPROVED = 'APPROVED',
  REJECTED = 'REJECTED',
  SUSPENDED = 'SUSPENDED',
}

registerEnumType(PartnerStatus, {
  name: 'PartnerStatus',
  description: 'What was decided about a partner.',
  valuesConfig: {
    PENDING: { description: 'Nothing yet.' },
    APPROVED: { description: 'It has the tier of its instances, with the discount, and earns commission.' },
    REJECTED: { description: 'It was turned down; the tenant may register again.' },
    SUSPENDED: { description: 'It has no tier, no discount and no commission until it is approved again.' },
  },
});

/** A tenant's registration as a partner. */
@Entity({ tableName: 'partner' })
@ObjectType({
  description:
    'An organization that sells the panel on. Its customers are its MSP clients, and itself: what they pay for is cheaper ' +
    'by its tier.',
})
export class Partner {
  @Field(() => ID, {
    description:
      'The organization that registered; all else is what it says of itself. Platform administrators find it, and its ' +
      'owners, by `tenants(filter: { search })`.',
  })
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `par_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'What it calls itself as a partner; nobody has verified it.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'Whom to turn to.' })
  @Property({ type: 'text' })
  contactEmail!: string;

  @Field(() => String, { nullable: true, description: 'Its page; http or https.' })
  @Property({ type: 'text', nullable: true })
  website!: string | null;

  @Field(() => PartnerStatus, { description: 'What was decided about it.' })
  @Property({ type: 'text' })
  status!: PartnerStatus;

  @Property({ type: new BigIntType('number') })
  version!: number;

  @Field(() => ID, {
    nullable: true,
    description: 'The id of its tier; null below the first one, and while it is not approved.',
  })
  @Property({ type: 'text', nullable: true, fieldName: 'tier' })
  tierId!: string | null;

  @Field(() => Int, {
    description: 'Instances of its clients and its own together, as fleet counts them, within seconds.',
  })
  @Property({ type: 'integer' })
  instances!: number;

  @Field(() => Int, {
    description: 'How much of what its customers pay it earns, in percent; agreed when it is approved.',
  })
  @Property({ type: 'integer' })
  commissionPercent!: number;

  @Field(() => DateTime, { description: 'When it registered.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was approved last, to the second; null when never.',
  })
  @Property({ type: 'datetime', nullable: true })
  approvedAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Since when it is suspended, to the second; null while it is not.',
  })
  @Property({ type: 'datetime', nullable: true })
  suspendedAt!: Date | null;

  @Field(() => Int, { description: 'How much less its customers pay, in percent; 0 without a tier.' })
  get discountPercent(): number {
    return tierOf(this.tierId)?.discountPercent ?? 0;
  }
}

@ObjectType({ description: 'One page of partners.' })
export class PartnerPage extends pageOf(Partner, 'Partner') {}
