import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { PlacementStatus } from './placement.status.js';

@Entity({ tableName: 'placement' })
@ObjectType({ description: 'One deployment in several clusters, rolled out to a part of them at a time.' })
@Directive('@key(fields: "id")')
export class Placement {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `plc_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Rises with every change that is told. */
  @Property({ type: 'bigint' })
  version!: string;

  @Field(() => String, { description: 'The namespace of its deployments, in each cluster.' })
  @Property({ type: 'text' })
  namespace!: string;

  @Field(() => String, { description: 'The name of its deployments, in each cluster.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'The image that is wanted.' })
  @Property({ type: 'text' })
  image!: string;

  @Field(() => Int, { description: 'How many replicas are wanted in each cluster.' })
  @Property({ type: 'integer' })
  replicas!: number;

  @Field(() => String, { nullable: true, description: 'It is for clusters in this region; null for any.' })
  @Property({ type: 'text', nullable: true })
  region!: string | null;

  @Field(() => String, { nullable: true, description: 'It is for clusters with this tag; null for any.' })
  @Property({ type: 'text', nullable: true })
  tag!: string | null;

  @Field(() => Int, { description: 'How much of its clusters a partition is, in percent, rounded up.' })
  @Property({ type: 'integer' })
  partitionPercent!: number;

  @Field(() => Int, { description: 'In how many clusters it may fail before it is stopped.' })
  @Property({ type: 'integer' })
  mostFailures!: number;

  @Field(() => Int, { description: 'The partition that is under way, or was last; from 1.' })
  @Property({ type: 'integer' })
  partition!: number;

  @Field(() => Int, { description: 'How many partitions there are.' })
  @Property({ type: 'integer' })
  partitions!: number;

  @Field(() => PlacementStatus, { description: 'How far it is.' })
  @Property({ type: 'text' })
  status!: PlacementStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was stopped or does not come on, for programs: `PARTITION_FAILED`, `DELETION_DELAYED`.',
  })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  /** Sealed: environments have secrets in them. */
  @Property({ type: 'text', nullable: true })
  sealedDesired!: string | null;

  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => String, { description: 'Who asked for it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Property({ type: 'datetime', nullable: true })
  deletedAt!: Date | null;
}

@ObjectType({ description: 'One page of placements.' })
export class PlacementPage extends pageOf(Placement, 'Placement') {}
