import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum TierChangeReason {
  INSTANCES = 'INSTANCES',
  APPROVED = 'APPROVED',
  SUSPENDED = 'SUSPENDED',
}

registerEnumType(TierChangeReason, {
  name: 'TierChangeReason',
  description: 'Why a partner has another tier.',
  valuesConfig: {
    INSTANCES: { description: 'Its customers have more or fewer instances.' },
    APPROVED: { description: 'It was approved.' },
    SUSPENDED: { description: 'It was suspended.' },
  },
});

/** Rows are added only. */
@Entity({ tableName: 'partner_tier_change' })
@ObjectType({ description: 'A moment from which on a partner had another tier.' })
export class PartnerTierChange {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `ptc_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  partnerId!: string;

  @Field(() => ID, { nullable: true, description: 'The tier before; null for none.' })
  @Property({ type: 'text', nullable: true })
  fromTier!: string | null;

  @Field(() => ID, { nullable: true, description: 'The tier after; null for none.' })
  @Property({ type: 'text', nullable: true })
  toTier!: string | null;

  @Field(() => Int, { description: 'How many instances its customers had.' })
  @Property({ type: 'integer' })
  instances!: number;

  @Field(() => TierChangeReason, { description: 'Why.' })
  @Property({ type: 'text' })
  reason!: TierChangeReason;

  @Field(() => DateTime, { description: 'When.' })
  @Property({ type: 'datetime' })
  changedAt!: Date;
}

@ObjectType({ description: 'One page of changes of tier.' })
export class PartnerTierChangePage extends pageOf(PartnerTierChange, 'PartnerTierChange') {}
