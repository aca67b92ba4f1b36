import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { DeploymentStatus } from './deployment.status.js';
import type { SeenMeanwhile } from './seen.js';

@Entity({ tableName: 'deployment' })
@ObjectType({ description: 'A deployment in a Kubernetes cluster, made by the panel or by others.' })
@Directive('@key(fields: "id")')
export class Deployment {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `dep_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Rises with every change that is told. */
  @Property({ type: 'bigint' })
  version!: string;

  @Field(() => ID, { description: 'The cluster that it is in.' })
  @Property({ type: 'text' })
  clusterId!: string;

  @Field(() => String, { description: 'Its namespace.' })
  @Property({ type: 'text' })
  namespace!: string;

  @Field(() => String, { description: 'Its name, unique in the namespace.' })
  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text', nullable: true })
  uid!: string | null;

  @Property({ type: 'text', nullable: true })
  resourceVersion!: string | null;

  @Field(() => Boolean, { description: 'Whether the panel made it. Others are shown, but not changed.' })
  @Property({ type: 'boolean' })
  isManaged!: boolean;

  @Field(() => String, { description: 'The image of its first container.' })
  @Property({ type: 'text' })
  image!: string;

  @Field(() => Int, { description: 'How many replicas are wanted.' })
  @Property({ type: 'integer' })
  replicas!: number;

  @Field(() => Int, { description: 'How many replicas are ready.' })
  @Property({ type: 'integer' })
  readyReplicas!: number;

  @Field(() => Int, { description: 'How many replicas are of its newest state.' })
  @Property({ type: 'integer' })
  updatedReplicas!: number;

  @Field(() => Int, { description: 'How many replicas are available.' })
  @Property({ type: 'integer' })
  availableReplicas!: number;

  @Field(() => DeploymentStatus, { description: 'How it is.' })
  @Property({ type: 'text' })
  status!: DeploymentStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it is as it is, for programs; null when all is well. `NOT_OBSERVED`, `UPDATING`, `ENDING_OLD`, `STARTING`, ' +
      '`PAUSED`, `REPLICA_FAILURE`, `PROGRESS_DEADLINE_EXCEEDED`, `CLUSTER_AWAY`, `CREDENTIAL_REFUSED`, `FIELD_CONFLICT`, `REFUSED`, ' +
      '`DELETION_REFUSED`, `TOO_LATE` (of a placement: it was not applied in time).',
  })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The placement that it is of, by which it is changed and deleted; null of any other.',
  })
  @Property({ type: 'text', nullable: true })
  placementId!: string | null;

  @Property({ type: 'text', nullable: true })
  sealedDesired!: string | null;

  /** What of that its cluster took last. */
  @Property({ type: 'text', nullable: true })
  sealedTaken!: string | null;

  /** The highest number that a revision of it ever had. */
  @Property({ type: 'integer' })
  lastRevision!: number;

  /** What a watch told while it was due. */
  @Property({ type: 'json', nullable: true })
  seenMeanwhile!: SeenMeanwhile | null;

  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  /** While a job calls its cluster for it. */
  @Property({ type: 'datetime', nullable: true })
  callingUntil!: Date | null;

  @Property({ type: 'integer' })
  failures!: number;

  @Field(() => DateTime, { description: 'When it was asked for here, or made in its cluster by others.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  deletedAt!: Date | null;
}

@ObjectType({ description: 'One page of deployments.' })
export class DeploymentPage extends pageOf(Deployment, 'Deployment') {}
