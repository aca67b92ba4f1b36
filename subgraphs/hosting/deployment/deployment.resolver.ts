import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { Cluster } from '../cluster/cluster.entity.js';
import type { ClusterLoader } from '../cluster/cluster.loader.js';
import type { DeleteService } from './delete.service.js';
import type { DeployService } from './deploy.service.js';
import { Deployment, DeploymentPage } from './deployment.entity.js';
import { CreateDeploymentInput, DeploymentFilter, UpdateDeploymentInput } from './deployment.inputs.js';
import type { DeploymentService } from './deployment.service.js';
import { desiredOf } from './desired.js';

@ArgsType()
class DeploymentsArgs extends PageArgs {
  @Field(() => DeploymentFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: DeploymentFilter | null;
}

@ArgsType()
class UpdateDeploymentArgs {
  @Field(() => ID, { description: 'The deployment.' })
  id!: string;

  @Field(() => UpdateDeploymentInput, { description: 'What changes.' })
  input!: UpdateDeploymentInput;
}

@ArgsType()
class DeploymentChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this deployment.' })
  deploymentId?: string | null;
}

const permission = 'hosting.deployment.read';
const manage = 'hosting.deployment.manage';

@Resolver(() => Deployment)
export class DeploymentResolver {
  constructor(
    private readonly parts: {
      deployments: DeploymentService;
      deploys: DeployService;
      deletions: DeleteService;
      clusters: ClusterLoader;
      keyring: Keyring;
    },
  ) {}

  @Authorized(permission)
  @Query(() => DeploymentPage, {
    name: 'deployments',
    description:
      'Deployments in all clusters, those of others as well, as watches of the clusters keep them. No cluster is asked for it.',
  })
  async list(
    @Args(() => DeploymentsArgs) args: DeploymentsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Deployment>> {
    return this.parts.deployments.page(operation, args, args.filter ?? {});
  }

  @Authorized(permission)
  @Query(() => Deployment, { description: 'One deployment, one that is gone included for a day. NOT_FOUND.' })
  async deployment(
    @Arg('id', () => ID, { description: 'The deployment.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.parts.deployments.get(operation, id);
  }

  @Authorized(manage)
  @Mutation(() => Deployment, {
    description:
      'Applies a new deployment to a cluster by server-side apply, after a dry run. NOT_FOUND when there is no such cluster; ' +
      'VALIDATION_FAILED where the cluster refuses a field; CONFLICT (NAME_TAKEN), (FIELD_CONFLICT), (CLUSTER_REFUSED), ' +
      '(CREDENTIAL_REFUSED), (OTHER_CLUSTER), and (POLICY_VIOLATION) where a mandatory policy is against it; UNAVAILABLE (CLUSTER_AWAY) when it does not answer the dry run. One that does not answer after ' +
      'it leaves the deployment PENDING, which is applied once it does.',
  })
  async createDeployment(
    @Arg('input', () => CreateDeploymentInput, { description: 'The deployment.' })
    input: CreateDeploymentInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.parts.deploys.create(operation, input);
  }

  @Authorized(manage)
  @Mutation(() => Deployment, {
    description:
      'Changes a deployment that the panel made, as `createDeployment` does. CONFLICT (FIELD_CONFLICT) names in ' +
      '`details.conflicts` who else owns what it would change, as `{manager, field}`; `takesOver` takes that from them. ' +
      'NOT_FOUND, CONFLICT (NOT_MANAGED), (PLACED), (DEPLOYMENT_DELETED), (CHANGED_MEANWHILE). Safe to repeat.',
  })
  async updateDeployment(
    @Args(() => UpdateDeploymentArgs) { id, input }: UpdateDeploymentArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.parts.deploys.update(operation, id, input);
  }

  @Authorized(manage)
  @Mutation(() => Deployment, {
    description:
      'Deletes a deployment that the panel made, with its pods. NOT_FOUND, CONFLICT (NOT_MANAGED), (PLACED), (DEPLOYMENT_DELETED), ' +
      '(CLUSTER_REFUSED), and (REPLACED) when somebody has put another in its place; UNAVAILABLE (CLUSTER_AWAY) when the cluster ' +
      'does not answer. Once it is DELETING that is tried until it is done.',
  })
  async deleteDeployment(
    @Arg('id', () => ID, { description: 'The deployment.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.parts.deletions.delete(operation, id);
  }

  @Authorized(permission)
  @Subscription(() => Deployment, {
    subscribe: eventSource<DeploymentChangedArgs>(permission, ({ deploymentId }) => ({
      topics: ['hosting.deployment.changed'],
      matches: ({ entityId }) => deploymentId == null || entityId === deploymentId,
    })),
    description: 'A deployment is new, changed, or is gone. Resumes as `instanceChanged` does.',
  })
  async deploymentChanged(
    @Args(() => DeploymentChangedArgs) _args: DeploymentChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment> {
    return this.parts.deployments.get(operation, payload.entityId);
  }

  @FieldResolver(() => [String], {
    nullable: true,
    description:
      'The names of the environment variables that the panel gives it; null of one that others made, and once it is gone.',
  })
  envNames(@Root() deployment: Deployment): string[] | null {
    const desired = desiredOf(this.parts.keyring, deployment);
    return desired && Object.keys(desired.env);
  }

  @FieldResolver(() => [Int], {
    nullable: true,
    description: 'The TCP ports that the panel gives it; null of one that others made, and once it is gone.',
  })
  ports(@Root() deployment: Deployment): readonly number[] | null {
    return desiredOf(this.parts.keyring, deployment)?.ports ?? null;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'The revision of it that is wanted, one of `deploymentRevisions`; null of one that others made, of one of a placement, once it is gone, and ' +
      'where a version of the panel that kept no revisions was the last to change it.',
  })
  revision(@Root() deployment: Deployment): number | null {
    return desiredOf(this.parts.keyring, deployment)?.revision ?? null;
  }

  @Authorized('hosting.cluster.read')
  @FieldResolver(() => Cluster, {
    nullable: true,
    description:
      'Its cluster; null once that was removed, and, with an error, without the right to see clusters.',
  })
  async cluster(
    @Root() { clusterId }: Deployment,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster | null> {
    return this.parts.clusters.byId(operation, clusterId);
  }
}
