import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { Cluster, ClusterPage } from './cluster.entity.js';
import { ClusterFilter, RegisterClusterInput, UpdateClusterInput } from './cluster.inputs.js';
import type { ClusterService } from './cluster.service.js';
import { forgotten } from './forgotten.js';
import type { RegisterService } from './register.service.js';

@ArgsType()
class ClustersArgs extends PageArgs {
  @Field(() => ClusterFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: ClusterFilter | null;
}

@ArgsType()
class UpdateClusterArgs {
  @Field(() => ID, { description: 'The cluster.' })
  id!: string;

  @Field(() => UpdateClusterInput, { description: 'What changes.' })
  input!: UpdateClusterInput;
}

@ArgsType()
class RemoveClusterArgs {
  @Field(() => ID, { description: 'The cluster.' })
  id!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether deployments of the panel may be left behind in it; they may not unless told.',
  })
  abandonsDeployments?: boolean | null;
}

@ArgsType()
class ClusterChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this cluster.' })
  clusterId?: string | null;
}

const permission = 'hosting.cluster.read';
const manage = 'hosting.cluster.manage';
const soonMs = 14 * 86_400_000;

@Resolver(() => Cluster)
export class ClusterResolver {
  constructor(
    private readonly clusters: ClusterService,
    private readonly registrations: RegisterService,
  ) {}

  @Authorized(permission)
  @Query(() => ClusterPage, {
    name: 'clusters',
    description:
      "The tenant's clusters, in the order in which they were registered. No cluster is asked for it.",
  })
  async list(
    @Args(() => ClustersArgs) args: ClustersArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Cluster>> {
    return this.clusters.page(operation, args, args.filter ?? {});
  }

  @Authorized(permission)
  @Query(() => Cluster, { description: 'One cluster. NOT_FOUND.' })
  async cluster(
    @Arg('id', () => ID, { description: 'The cluster.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster> {
    return this.clusters.get(operation, id);
  }

  @Authorized(manage)
  @Mutation(() => Cluster, {
    description:
      'Registers a cluster, at most 200. It is contacted first: VALIDATION_FAILED on `kubeconfig` where it would run a ' +
      'program or read a file, where its address is private or its certificate not checked, and where its user is unknown or ' +
      'may not get, list, watch, create, patch and delete deployments everywhere. CONFLICT (NAME_TAKEN), (CLUSTER_KNOWN); UNAVAILABLE ' +
      '(CLUSTER_AWAY) when it does not answer; LIMIT_REACHED (CLUSTERS_LIMIT).',
  })
  async registerCluster(
    @Arg('input', () => RegisterClusterInput, { description: 'The cluster.' }) input: RegisterClusterInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster> {
    return this.registrations.register(operation, input);
  }

  @Authorized(manage)
  @Mutation(() => Cluster, {
    description:
      'Changes what is known of a cluster, or replaces its credential in place, which is tried first as `registerCluster` ' +
      'does. NOT_FOUND, VALIDATION_FAILED, CONFLICT (NAME_TAKEN), (OTHER_CLUSTER); FORBIDDEN ' +
      '(PERMISSION_MISSING) where a key that does not list hosting.deployment.manage gives another address; UNAVAILABLE (CLUSTER_AWAY).',
  })
  async updateCluster(
    @Args(() => UpdateClusterArgs) { id, input }: UpdateClusterArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster> {
    return this.registrations.update(operation, id, input);
  }

  @Authorized(manage)
  @Mutation(() => Cluster, {
    description:
      'Forgets a cluster and its credential. What runs there goes on. NOT_FOUND, CONFLICT (DEPLOYMENTS_LEFT) while ' +
      'deployments of the panel are in it.',
  })
  async removeCluster(
    @Args(() => RemoveClusterArgs) { id, abandonsDeployments }: RemoveClusterArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster> {
    return this.registrations.remove(operation, id, abandonsDeployments ?? false);
  }

  @Authorized(permission)
  @Subscription(() => Cluster, {
    subscribe: eventSource<ClusterChangedArgs>(permission, ({ clusterId }) => ({
      topics: ['hosting.cluster.changed'],
      matches: ({ entityId }) => clusterId == null || entityId === clusterId,
    })),
    description:
      'A cluster was registered, changed, or removed (`isRemoved`). Resumes as `instanceChanged` does.',
  })
  async clusterChanged(
    @Args(() => ClusterChangedArgs) _args: ClusterChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster> {
    return this.clusters.told(operation, payload.entityId);
  }

  @FieldResolver(() => Boolean, { description: 'Whether it was removed; of events only.' })
  isRemoved(@Root() { deletedAt }: Cluster): boolean {
    return deletedAt !== null;
  }

  @FieldResolver(() => String, {
    name: 'version',
    description: 'Its version of Kubernetes, major and minor: `1.35`.',
  })
  kubernetes(@Root() { kubernetesVersion }: Cluster): string {
    return kubernetesVersion;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Why it is as it is, for programs; null when all is well. `UNREACHABLE`, `CERTIFICATE`, `TARGET_REFUSED`, `NOT_READY`, ' +
      '`CREDENTIAL_REFUSED` (also where it may not list or watch deployments any more), `NOT_WATCHED` (lists and watches of ' +
      'its deployments come to nothing: what is shown of them is old), `CREDENTIAL_UNREADABLE`, `OTHER_CLUSTER`, `GRANT_ENDED` (its ' +
      'credential was given under access that has ended, and is forgotten), `ADDRESS_PROVED` (the same of one that was given ' +
      'before the owner of an address proved that the account is theirs); and where it is well else `CREDENTIAL_ENDED`, and `CREDENTIAL_ENDING` in the last 14 days of its credential.',
  })
  reason(@Root() cluster: Cluster, @Ctx() { operation }: SubgraphContext): string | null {
    return shown(cluster, operation.clock.now()).reason;
  }

  @FieldResolver(() => String, { nullable: true, description: 'The same for people.' })
  message(@Root() cluster: Cluster, @Ctx() { operation }: SubgraphContext): string | null {
    return shown(cluster, operation.clock.now()).message;
  }
}

type Shown = Pick<Cluster, 'reason' | 'message'>;

/** The end of its credential hides nothing but what it is the reason of itself. */
function shown(cluster: Cluster, now: Date): Shown {
  const lost = forgotten(cluster);
  if (lost) return lost;
  const soon = ending(cluster, now);
  const isItsRefusal = soon?.reason === 'CREDENTIAL_ENDED' && cluster.reason === 'CREDENTIAL_REFUSED';
  return soon && (cluster.reason === null || isItsRefusal) ? soon : cluster;
}

function ending({ credentialExpiresAt: at }: Cluster, now: Date): Shown | undefined {
  if (at === null || at.getTime() - now.getTime() > soonMs) return undefined;
  return at <= now
    ? {
        reason: 'CREDENTIAL_ENDED',
        message: `Its credential ended at ${at.toISOString()}: updateCluster replaces it`,
      }
    : {
        reason: 'CREDENTIAL_ENDING',
        message: `Its credential ends at ${at.toISOString()}: updateCluster replaces it`,
      };
}
