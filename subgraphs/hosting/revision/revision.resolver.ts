import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { Deployment } from '../deployment/deployment.entity.js';
import { DeploymentRevisionPage, type DeploymentRevision } from './revision.entity.js';
import type { RevisionService } from './revision.service.js';
import { RestartDeploymentInput, RollBackDeploymentInput } from './rollout.inputs.js';
import type { RolloutService } from './rollout.service.js';

@ArgsType()
class DeploymentRevisionsArgs extends PageArgs {
  @Field(() => ID, { description: 'The deployment.' })
  deploymentId!: string;
}

const manage = 'hosting.deployment.manage';
const refusals =
  'VALIDATION_FAILED where the cluster refuses a field; CONFLICT (FIELD_CONFLICT) as of `updateDeployment`, (PAUSED) while the rollout is ' +
  'paused in the cluster, (POLICY_VIOLATION), (NOT_MANAGED), (PLACED), (DEPLOYMENT_DELETED), (CHANGED_MEANWHILE), (CLUSTER_REFUSED), ' +
  '(CREDENTIAL_REFUSED), (OTHER_CLUSTER); UNAVAILABLE (CLUSTER_AWAY) when the cluster does not answer the dry run. One that does not ' +
  'answer after it leaves the deployment PENDING, and it is done once it does.';

@Resolver()
export class RevisionResolver {
  constructor(
    private readonly revisions: RevisionService,
    private readonly rollouts: RolloutService,
  ) {}

  @Authorized('hosting.deployment.read')
  @Query(() => DeploymentRevisionPage, {
    description:
      'What was wanted of a deployment that the panel made, newest first: what is wanted now, and as many revisions before it as the panel ' +
      'keeps (10 unless its operator says otherwise). As `kubectl rollout history`, with who wanted it. Empty of what others made, of one of a placement, and once it is ' +
      'gone. NOT_FOUND.',
  })
  async deploymentRevisions(
    @Args(() => DeploymentRevisionsArgs) { deploymentId, ...args }: DeploymentRevisionsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<DeploymentRevision>> {
    return this.revisions.page(operation, deploymentId, args);
  }

  @Authorized(manage)
  @Mutation(() => Deployment, {
    description:
      'Has the pods of a deployment that the panel made replaced by new ones, a few at a time, as `kubectl rollout restart` does. That is a new ' +
      'revision of it. Each call restarts it, but for those within the same second, and those with the same idempotency key. ' +
      `NOT_FOUND; ${refusals}`,
  })
  async restartDeployment(
    @Arg('input', () => RestartDeploymentInput, { description: 'The deployment.' })
    input: RestartDeploymentInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.rollouts.restart(operation, input);
  }

  @Authorized(manage)
  @Mutation(() => Deployment, {
    description:
      'Has a deployment that the panel made run the image, with the variables and the ports, of one of its revisions, as ' +
      '`kubectl rollout undo --to-revision` does; the number of its replicas stays. That is wanted of it from then on, as a new revision; the one rolled back to ' +
      'stays in its history. Where it wants the same already nothing changes: safe to repeat. ' +
      `NOT_FOUND; VALIDATION_FAILED where no such revision is kept; ${refusals}`,
  })
  async rollBackDeployment(
    @Arg('input', () => RollBackDeploymentInput, { description: 'The deployment, and its revision.' })
    input: RollBackDeploymentInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.rollouts.rollBack(operation, input);
  }
}
