import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { ClusterStatus } from './cluster.status.js';

@Entity({ tableName: 'cluster' })
@ObjectType({ description: 'A Kubernetes cluster that the panel works with.' })
@Directive('@key(fields: "id")')
export class Cluster {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `k8s_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Rises with every change that is told. */
  @Property({ type: 'bigint' })
  version!: string;

  @Field(() => String, { description: 'Its name, unique in the tenant without case.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'Whose it is: a word of the tenant, as `hetzner`.' })
  @Property({ type: 'text' })
  provider!: string;

  @Field(() => String, { description: 'Where it is: a word of the tenant, as `eu-central`.' })
  @Property({ type: 'text' })
  region!: string;

  @Field(() => [String], { description: 'Words by which placements find it.' })
  @Property({ type: 'text[]' })
  tags!: string[];

  @Field(() => String, { description: 'The address of its API server.' })
  @Property({ type: 'text' })
  serverUrl!: string;

  /** The uid of its namespace kube-system. */
  @Property({ type: 'text' })
  identity!: string;

  /** Null once it is removed, and when the access has ended under which it was given. */
  @Property({ type: 'text', nullable: true })
  sealedCredential!: string | null;

  /** When the credential was given that it has; null where that was before this was kept. */
  @Property({ type: 'datetime', nullable: true })
  givenAt!: Date | null;

  @Property({ type: 'integer' })
  credentialNumber!: number;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When its credential ends, by its certificate or token; null where neither says. `updateCluster` replaces it.',
  })
  @Property({ type: 'datetime', nullable: true })
  credentialExpiresAt!: Date | null;

  @Property({ type: 'text' })
  kubernetesVersion!: string;

  @Field(() => Int, { description: 'How many nodes it has.' })
  @Property({ type: 'integer' })
  nodes!: number;

  @Field(() => Int, { description: 'How many of them are ready.' })
  @Property({ type: 'integer' })
  nodesReady!: number;

  @Field(() => Float, { description: 'The processor cores of its nodes together.' })
  @Property({ type: 'double' })
  cpuCores!: number;

  @Field(() => Float, { description: 'The memory of its nodes together, in GiB.' })
  @Property({ type: 'double' })
  memoryGb!: number;

  @Field(() => ClusterStatus, { description: 'How it is.' })
  @Property({ type: 'text' })
  status!: ClusterStatus;

  /** Of the last change of status; what shows besides is found when it is read. */
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Field(() => DateTime, { description: 'When it last answered; up to a minute late.' })
  @Property({ type: 'datetime' })
  lastSeenAt!: Date;

  @Field(() => DateTime, { description: 'When it was registered.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => String, { description: 'Who registered it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  /** Of the provider's user who gave the credential; null for what the tenant's own people gave. */
  @Property({ type: 'text', nullable: true })
  grantId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  grantEndsAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  deletedAt!: Date | null;
}

@ObjectType({ description: 'One page of clusters.' })
export class ClusterPage extends pageOf(Cluster, 'Cluster') {}
