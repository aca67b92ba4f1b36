import { Authorized, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Policy } from '../policy/policy.entity.js';
import type { ResultsService } from '../result/results.service.js';
import { ClusterScore, Scores } from '../score/score.types.js';
import { ClusterPolicyResult, ClusterReference } from './cluster.reference.js';
import type { ClustersService } from './clusters.service.js';

@Resolver(() => ClusterReference)
export class ClusterReferenceResolver {
  constructor(private readonly clusters: ClustersService) {}

  @Authorized('governance.score.read')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How far policies hold on it, 0 to 100; null when nothing is known. See `scores` for the formula.',
  })
  async score(
    @Root() { id }: ClusterReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<number | null> {
    return (await this.clusters.find(operation, id))?.score ?? null;
  }

  @Authorized('governance.score.read')
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How many policies do not hold on it; null for some moments after it was registered.',
  })
  async violations(
    @Root() { id }: ClusterReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<number | null> {
    return (await this.clusters.find(operation, id))?.violations ?? null;
  }

  @Authorized('governance.policy.read')
  @FieldResolver(() => [ClusterPolicyResult], {
    nullable: true,
    description: 'Which policies about clusters hold on it; null for some moments after it was registered.',
  })
  async policyResults(
    @Root() { id }: ClusterReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ClusterPolicyResult[]> {
    return this.clusters.results(operation, id);
  }
}

@Resolver(() => ClusterPolicyResult)
export class ClusterPolicyResultResolver {
  constructor(private readonly results: ResultsService) {}

  @FieldResolver(() => Policy, { nullable: true, description: 'The policy; null when it was just removed.' })
  async policy(
    @Root() { policyId }: ClusterPolicyResult,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy | null> {
    return this.results.policy(operation, policyId);
  }
}

@Resolver(() => ClusterScore)
export class ClusterScoreResolver {
  @FieldResolver(() => ClusterReference, {
    nullable: true,
    description: 'The cluster; null for some moments after it was removed.',
  })
  cluster(@Root() { clusterId }: ClusterScore): ClusterReference {
    return { id: clusterId };
  }
}

@Resolver(() => Scores)
export class ClusterScoresResolver {
  constructor(private readonly clusters: ClustersService) {}

  @FieldResolver(() => [ClusterScore], {
    description: 'Of each Kubernetes cluster, in the order in which they were registered: at most 200.',
  })
  async byCluster(@Ctx() { operation }: SubgraphContext): Promise<ClusterScore[]> {
    return this.clusters.all(operation);
  }
}
