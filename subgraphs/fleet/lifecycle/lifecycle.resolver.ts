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
import { DateTime } from '#platform/subgraph/scalars.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { CreateEnrollmentTokenPayload } from '../enrollment/enrollment.inputs.js';
import { Instance } from '../instance/instance.entity.js';
import type { DepartureService } from './departure.service.js';
import { isDuplicate } from './duplicate.js';
import { FormerInstance, FormerInstancePage } from './former-instance.entity.js';
import { FormerInstanceFilter, UpdateInstanceInput } from './lifecycle.inputs.js';
import type { LifecycleService } from './lifecycle.service.js';
import type { ReenrollmentService } from './reenrollment.service.js';
import type { RotationService } from './rotation.service.js';

@ArgsType()
class FormerInstancesArgs extends PageArgs {
  @Field(() => FormerInstanceFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: FormerInstanceFilter | null;
}

@ArgsType()
class InstanceDecommissionedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this instance.' })
  instanceId?: string | null;
}

@Resolver(() => Instance)
export class LifecycleResolver {
  constructor(
    private readonly lifecycle: LifecycleService,
    private readonly rotations: RotationService,
    private readonly reenrollments: ReenrollmentService,
    private readonly departures: DepartureService,
  ) {}

  @Authorized('fleet.instance.read')
  @Query(() => FormerInstancePage, {
    description: 'Instances that were decommissioned, in the order they had enrolled.',
  })
  async formerInstances(
    @Args(() => FormerInstancesArgs) { filter, ...page }: FormerInstancesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<FormerInstance>> {
    return this.lifecycle.formerPage(operation, page, filter);
  }

  @Authorized('fleet.instance.read')
  @Query(() => FormerInstance, {
    description: 'One instance that was decommissioned, by the id that it had. NOT_FOUND.',
  })
  async formerInstance(
    @Arg('id', () => ID, { description: 'The id that it had.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<FormerInstance> {
    return this.lifecycle.former(operation, id);
  }

  @Authorized('fleet.instance.read')
  @Subscription(() => FormerInstance, {
    subscribe: eventSource<InstanceDecommissionedArgs>('fleet.instance.read', ({ instanceId }) => ({
      topics: ['fleet.instance.decommissioned'],
      matches: ({ entityId }) => instanceId == null || entityId === instanceId,
    })),
    description: 'An instance of the tenant was decommissioned. Resumes as `instanceChanged` does.',
  })
  async instanceDecommissioned(
    @Args(() => InstanceDecommissionedArgs) _args: InstanceDecommissionedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<FormerInstance> {
    return this.lifecycle.former(operation, payload.entityId);
  }

  @Authorized('fleet.instance.update')
  @Mutation(() => Instance, { description: 'Renames or tags an instance. NOT_FOUND, VALIDATION_FAILED.' })
  async updateInstance(
    @Arg('input', () => UpdateInstanceInput, { description: 'What changes.' }) input: UpdateInstanceInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance> {
    return this.lifecycle.update(operation, input);
  }

  @Authorized('fleet.instance.decommission')
  @Mutation(() => FormerInstance, {
    description:
      'Takes an instance out of the fleet for good. Its credential is refused at once and its place under the plan ' +
      'is free; its history is kept as long as any. NOT_FOUND, also the second time.',
  })
  async decommissionInstance(
    @Arg('id', () => ID, { description: 'The instance.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<FormerInstance> {
    return this.lifecycle.decommission(operation, id);
  }

  @Authorized('fleet.credential.rotate')
  @Mutation(() => Instance, {
    description:
      'Gives a node a new credential with its next beat. The old one counts until the node has used the new one. ' +
      'Whoever else holds the old one is given the new one too: `createReenrollmentToken` puts them out. ' +
      'Safe to repeat. NOT_FOUND.',
  })
  async rotateInstanceCredential(
    @Arg('id', () => ID, { description: 'The instance.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance> {
    return this.rotations.rotate(operation, id);
  }

  @Authorized('fleet.token.create')
  @Mutation(() => CreateEnrollmentTokenPayload, {
    description:
      'Makes an enrollment token for a node that lost its credential: good for an hour and one use, by which the node ' +
      'becomes this instance again, and whoever had its credential is refused. NOT_FOUND.',
  })
  async createReenrollmentToken(
    @Arg('instanceId', () => ID, { description: 'The instance.' }) instanceId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CreateEnrollmentTokenPayload> {
    return this.reenrollments.createToken(operation, instanceId);
  }

  @Authorized('fleet.departure.report')
  @Mutation(() => DateTime, {
    description:
      'The calling node says that its agent is being stopped, by its own credential: it is OFFLINE for the reason ' +
      'STOPPED until its next beat, and no alert is raised for its silence. Answers since when it is stopped. Safe to ' +
      'repeat. UNAUTHENTICATED when the credential was revoked.',
  })
  async reportDeparture(@Ctx() { operation }: SubgraphContext): Promise<Date> {
    return this.departures.report(operation);
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether two nodes seem to use its credential, as when a machine was copied: the sequence of its beats jumped to ' +
      'and fro between two counts three times or more, each within ten minutes of the one before, and last within ten ' +
      'minutes. A run of the agent that begins anew is no such jump.',
  })
  isDuplicate(@Root() instance: Instance, @Ctx() { operation }: SubgraphContext): boolean {
    return isDuplicate(instance, operation.clock.now());
  }

  @FieldResolver(() => Boolean, {
    description: 'Whether a new credential waits for it that it has not used yet.',
  })
  isCredentialRotating(@Root() { candidateGeneration }: Instance): boolean {
    return candidateGeneration !== null;
  }
}
