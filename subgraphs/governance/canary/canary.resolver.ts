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
import type { Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { InstanceReference } from '../node/instance.reference.js';
import { unlisted } from '../order/may-order.js';
import { Canary, CanaryInstances, CanaryPage, CanaryStep } from './canary.entity.js';
import {
  CanariesArgs,
  CanaryMemberPageArgs,
  CanaryMembersArgs,
  CreateCanaryInput,
  UpdateCanaryInput,
} from './canary.inputs.js';
import type { CanaryService } from './canary.service.js';
import { CanaryAction, CanaryMemberStatus } from './canary.status.js';
import { CanaryMember, CanaryMemberPage } from './member.entity.js';
import { memberPageOf, membersOf } from './members.loader.js';

@ArgsType()
class CanaryProgressedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this canary.' })
  canaryId?: string | null;
}

const moves = 'Doing it again changes nothing. NOT_FOUND, CONFLICT (ILLEGAL_MOVE).';

@Resolver(() => Canary)
export class CanaryResolver {
  constructor(private readonly service: CanaryService) {}

  @Authorized('governance.canary.read')
  @Query(() => CanaryPage, { description: "The tenant's canaries, newest first." })
  async canaries(
    @Args(() => CanariesArgs) args: CanariesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Canary>> {
    return this.service.page(operation, args);
  }

  @Authorized('governance.canary.read')
  @Query(() => Canary, { description: 'One canary. NOT_FOUND.' })
  async canary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.get(operation, id);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, {
    description:
      'Makes a canary, which begins at once unless told otherwise. Whom it is for is settled now. An instance is in one canary ' +
      'at a time. VALIDATION_FAILED, PLAN_REQUIRED, LIMIT_REACHED (CANARIES_LIMIT), CONFLICT (POLICY_VIOLATION with the ' +
      'policy and its evidence, CANARY_UNDER_WAY), ' +
      `${unlisted}.`,
  })
  async createCanary(
    @Arg('input', () => CreateCanaryInput, { description: 'The canary.' }) input: CreateCanaryInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.create(operation, input);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, {
    description:
      'Does something with a canary, or gives one that is PENDING another name or other steps. NOT_FOUND, VALIDATION_FAILED, ' +
      'CONFLICT (ILLEGAL_MOVE, CANARY_BEGUN). For all but another name, and what stops it: ' +
      `${unlisted}.`,
  })
  async updateCanary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Arg('input', () => UpdateCanaryInput, { description: 'What is to become of it.' })
    input: UpdateCanaryInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.update(operation, id, input);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, { description: `Lets nothing new begin. What was sent goes on. ${moves}` })
  async pauseCanary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.act(operation, id, CanaryAction.PAUSE);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, {
    description:
      'Lets a paused canary go on where it was, and one that awaits approval with the next step. NOT_FOUND, CONFLICT ' +
      `(ILLEGAL_MOVE), ${unlisted}.`,
  })
  async resumeCanary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.act(operation, id, CanaryAction.RESUME);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, {
    description: `Sends the command to all the others at once. ${moves} ${unlisted}.`,
  })
  async promoteCanary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.act(operation, id, CanaryAction.PROMOTE);
  }

  @Authorized('governance.canary.manage')
  @Mutation(() => Canary, { description: `Takes it back where it was done. ${moves}` })
  async abortCanary(
    @Arg('id', () => ID, { description: 'The canary.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.act(operation, id, CanaryAction.ABORT);
  }

  @Authorized('governance.canary.read')
  @Subscription(() => Canary, {
    subscribe: eventSource<CanaryProgressedArgs>('governance.canary.read', ({ canaryId }) => ({
      topics: ['governance.canary.progressed'],
      matches: ({ entityId }) => canaryId == null || entityId === canaryId,
    })),
    description:
      'A canary moved on, or something of it changed; it is given as it is now. `extensions.cursor` of an event, given back as ' +
      '`extensions.after` within 24 hours, resumes after it.',
  })
  async canaryProgressed(
    @Args(() => CanaryProgressedArgs) _args: CanaryProgressedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Canary> {
    return this.service.get(operation, payload.entityId);
  }

  @FieldResolver(() => CanaryInstances, { description: 'How many instances it is for, and how they are.' })
  instances(@Root() { target, counts }: Canary): CanaryInstances {
    const of = (...statuses: CanaryMemberStatus[]) =>
      statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
    return {
      target,
      underWay: of(CanaryMemberStatus.SENT, CanaryMemberStatus.ROLLING_BACK),
      updated: of(CanaryMemberStatus.UPDATED),
      failed: Math.max(counts.everFailed ?? 0, of(CanaryMemberStatus.FAILED)),
      unreached: of(CanaryMemberStatus.UNREACHED, CanaryMemberStatus.REFUSED, CanaryMemberStatus.GONE),
      rolledBack: of(CanaryMemberStatus.ROLLED_BACK),
    };
  }

  @Authorized('governance.canary.read')
  @FieldResolver(() => [CanaryMember], {
    description:
      'The instances, in the order in which the canary comes to them. `memberPage` has how many there are, and whether others follow.',
  })
  async members(
    @Args(() => CanaryMembersArgs) args: CanaryMembersArgs,
    @Root() { id }: Canary,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CanaryMember[]> {
    return membersOf(operation, id, args);
  }

  @Authorized('governance.canary.read')
  @FieldResolver(() => CanaryMemberPage, {
    description: 'The instances by pages, in the order in which the canary comes to them.',
  })
  async memberPage(
    @Args(() => CanaryMemberPageArgs) args: CanaryMemberPageArgs,
    @Root() { id }: Canary,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<CanaryMember>> {
    return memberPageOf(operation, id, args);
  }
}

@Resolver(() => CanaryStep)
export class CanaryStepResolver {
  @FieldResolver(() => Boolean, {
    description: 'Whether it waits for somebody once it has passed, before the next step.',
  })
  waits(@Root() { waits }: CanaryStep): boolean {
    return waits ?? false;
  }
}

@Resolver(() => CanaryMember)
export class CanaryMemberResolver {
  @FieldResolver(() => InstanceReference, {
    nullable: true,
    description: 'The instance; null when it has left the fleet.',
  })
  instance(@Root() { instanceId, status }: CanaryMember): InstanceReference | null {
    return status === CanaryMemberStatus.GONE ? null : { id: instanceId };
  }
}
