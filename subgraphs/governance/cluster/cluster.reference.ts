import { Directive, Field, ID, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { PolicyEvidence, PolicyStatus } from '../result/result.entity.js';

/** hosting's Cluster, by its key, with what governance adds to it. */
@ObjectType('Cluster')
@Directive('@key(fields: "id")')
export class ClusterReference {
  @Field(() => ID, { description: 'Starts with `k8s_`.' })
  id!: string;
}

@ObjectType({ description: 'Whether one policy holds on one Kubernetes cluster.' })
export class ClusterPolicyResult {
  clusterId!: string;

  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => PolicyStatus, { description: 'Whether it holds.' })
  status!: PolicyStatus;

  @Field(() => PolicyEvidence, { nullable: true, description: 'Why not; null where it holds.' })
  evidence!: PolicyEvidence | null;

  @Field(() => DateTime, { description: 'Since when it is so.' })
  since!: Date;
}
