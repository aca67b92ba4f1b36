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
import { Deployment } from '../deployment/deployment.entity.js';
import { desiredOf } from '../deployment/desired.js';
import type { PlaceService } from './place.service.js';
import { Placement, PlacementPage } from './placement.entity.js';
import { PlaceDeploymentInput, PlacementFilter, UpdatePlacementInput } from './placement.inputs.js';
import type { PlacementService } from './placement.service.js';
import { PlacementTarget } from './target.entity.js';
import type { TargetsLoader } from './targets.loader.js';

@ArgsType()
class PlacementsArgs extends PageArgs {
  @Field(() => PlacementFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: PlacementFilter | null;
}

@ArgsType()
class UpdatePlacementArgs {
  @Field(() => ID, { description: 'The placement.' })
  id!: string;

  @Field(() => UpdatePlacementInput, { description: 'What changes.' })
  input!: UpdatePlacementInput;
}

@ArgsType()
class PlacementChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this placement.' })
  placementId?: string | null;
}

const permission = 'hosting.deployment.read';
const manage = 'hosting.deployment.manage';

@Resolver(() => Placement)
export class PlacementResolver {
  constructor(
    private readonly placements: PlacementService,
    private readonly places: PlaceService,
    private readonly targetsOf: TargetsLoader,
    private readonly keyring: Keyring,
  ) {}

  @Authorized(permission)
  @Query(() => PlacementPage, {
    name: 'placements',
    description: "The tenant's placements, in the order in which they were asked for.",
  })
  async list(
    @Args(() => PlacementsArgs) args: PlacementsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Placement>> {
    return this.placements.page(operation, args, args.filter ?? {});
  }

  @Authorized(permission)
  @Query(() => Placement, {
    description: 'One placement, one that is removed included for a day. NOT_FOUND.',
  })
  async placement(
    @Arg('id', () => ID, { description: 'The placement.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.placements.get(operation, id);
  }

  @Authorized(manage)
  @Mutation(() => Placement, {
    description:
      'Deploys to all clusters in a region or with a tag, a partition of them at a time: the next one begins once it runs in ' +
      'all of the one before, and none does after a bad one. Which clusters that are is found now. VALIDATION_FAILED, also ' +
      'where there is no such cluster; CONFLICT (NAME_TAKEN), and (POLICY_VIOLATION) where a mandatory policy is against it in ' +
      'one of them; LIMIT_REACHED (PLACEMENTS_LIMIT) at 200.',
  })
  async placeDeployment(
    @Arg('input', () => PlaceDeploymentInput, { description: 'The deployment, and for which clusters.' })
    input: PlaceDeploymentInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.places.place(operation, input);
  }

  @Authorized(manage)
  @Mutation(() => Placement, {
    description:
      'Changes what is wanted, and rolls it out from the first partition on. Clusters that match since are new in it; those ' +
      'that match no more stay. NOT_FOUND, VALIDATION_FAILED, CONFLICT (CHANGED_MEANWHILE), (PLACEMENT_REMOVED), ' +
      '(POLICY_VIOLATION). Safe to repeat.',
  })
  async updatePlacement(
    @Args(() => UpdatePlacementArgs) { id, input }: UpdatePlacementArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.places.update(operation, id, input);
  }

  @Authorized(manage)
  @Mutation(() => Placement, {
    description:
      'Tries once more where it failed, and goes on from there. One that was not stopped stays as it is. NOT_FOUND, CONFLICT ' +
      '(PLACEMENT_REMOVED).',
  })
  async resumePlacement(
    @Arg('id', () => ID, { description: 'The placement.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.places.resume(operation, id);
  }

  @Authorized(manage)
  @Mutation(() => Placement, {
    description:
      'Deletes its deployments in all clusters; tried until it is done. NOT_FOUND. Safe to repeat.',
  })
  async removePlacement(
    @Arg('id', () => ID, { description: 'The placement.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.places.remove(operation, id);
  }

  @Authorized(permission)
  @Subscription(() => Placement, {
    subscribe: eventSource<PlacementChangedArgs>(permission, ({ placementId }) => ({
      topics: ['hosting.placement.changed'],
      matches: ({ entityId }) => placementId == null || entityId === placementId,
    })),
    description: 'A placement is new, came further, or is gone. Resumes as `instanceChanged` does.',
  })
  async placementChanged(
    @Args(() => PlacementChangedArgs) _args: PlacementChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Placement> {
    return this.placements.get(operation, payload.entityId);
  }

  @FieldResolver(() => [String], {
    nullable: true,
    description: 'The names of the environment variables of its deployments; null once it is removed.',
  })
  envNames(@Root() placement: Placement): string[] | null {
    const desired = desiredOf(this.keyring, placement);
    return desired && Object.keys(desired.env);
  }

  @FieldResolver(() => [Int], {
    nullable: true,
    description: 'The TCP ports of its deployments; null once it is removed.',
  })
  ports(@Root() placement: Placement): readonly number[] | null {
    return desiredOf(this.keyring, placement)?.ports ?? null;
  }

  @FieldResolver(() => [PlacementTarget], { description: 'Its clusters, by partition: at most 200.' })
  async targets(
    @Root() { id }: Placement,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PlacementTarget[]> {
    return this.targetsOf.of(operation, id);
  }
}

@Resolver(() => PlacementTarget)
export class PlacementTargetResolver {
  constructor(
    private readonly clusters: ClusterLoader,
    private readonly targets: TargetsLoader,
  ) {}

  @Authorized('hosting.cluster.read')
  @FieldResolver(() => Cluster, {
    nullable: true,
    description:
      'The cluster; null once that was removed, and, with an error, without the right to see clusters.',
  })
  async cluster(
    @Root() { clusterId }: PlacementTarget,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Cluster | null> {
    return this.clusters.byId(operation, clusterId);
  }

  @FieldResolver(() => Deployment, {
    nullable: true,
    description: 'Its deployment there; null before there is one.',
  })
  async deployment(
    @Root() { deploymentId }: PlacementTarget,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Deployment | null> {
    return this.targets.deployment(operation, deploymentId);
  }
}
