import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { ChangeCause } from './change-cause.js';

@Entity({ tableName: 'deployment_revision' })
@ObjectType({
  description:
    'What was wanted of the pods of a deployment from some moment on. A change of the number of replicas alone makes none, ' +
    'as in Kubernetes.',
})
export class DeploymentRevision {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  deploymentId!: string;

  @Field(() => Int, {
    description:
      'Its number, from 1 on, which no other revision of the deployment ever has. The cluster counts its own.',
  })
  @PrimaryKey({ type: 'integer' })
  revision!: number;

  /** Told by whoever reads it beside its deployment. */
  @Field(() => Boolean, { description: 'Whether it is what is wanted now.' })
  isWanted?: boolean;

  @Field(() => ChangeCause, {
    nullable: true,
    description:
      'What it came about by; null where that was not kept, by a version of the panel that kept no revisions.',
  })
  @Property({ type: 'text', nullable: true })
  changeCause!: ChangeCause | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The revision that was rolled back to, which may be kept no more; null of any other cause.',
  })
  @Property({ type: 'integer', nullable: true })
  toRevision!: number | null;

  @Field(() => String, { description: 'The image, with its tag or digest.' })
  @Property({ type: 'text' })
  image!: string;

  @Field(() => Int, {
    description: 'How many replicas were wanted when it came about. Rolling back to it leaves those of then.',
  })
  @Property({ type: 'integer' })
  replicas!: number;

  @Field(() => [String], {
    description:
      'What is otherwise than what was wanted before it: `image`, `replicas`, `ports`, `restartedAt`, and `env.NAME` of each ' +
      'variable that was set, changed or taken away. No value is told. At most 204; empty of the first.',
  })
  @Property({ type: 'text[]' })
  changed!: string[];

  @Property({ type: 'text' })
  sealedDesired!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Since when it was wanted; null where `changeCause` is.',
  })
  @Property({ type: 'datetime', nullable: true })
  createdAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Who wanted it: the id of a user, an API key or a service; null where `changeCause` is.',
  })
  @Property({ type: 'text', nullable: true })
  createdBy!: string | null;
}

@ObjectType({ description: 'One page of the revisions of a deployment.' })
export class DeploymentRevisionPage extends pageOf(DeploymentRevision, 'DeploymentRevision') {}
