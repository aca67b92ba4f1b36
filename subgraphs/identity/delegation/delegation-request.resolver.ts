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

import {
  DelegationRequest,
  DelegationRequestPage,
  DelegationRequestStatus,
  statusOf,
} from './delegation-request.entity.js';
import {
  ApproveDelegationInput,
  DelegationRequestsArgs,
  RequestDelegationInput,
} from './delegation-request.inputs.js';
import type { DelegationRequestService } from './delegation-request.service.js';
import { DelegationUser } from './delegation-user.js';
import { shownUsers } from './named-users.service.js';

@ArgsType()
class SentDelegationRequestChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only requests to this client.' })
  clientId?: string | null;
}

@Resolver(() => DelegationRequest)
export class DelegationRequestResolver {
  constructor(private readonly requests: DelegationRequestService) {}

  @FieldResolver(() => DelegationRequestStatus, { description: 'What became of it.' })
  status(@Root() request: DelegationRequest, @Ctx() { operation }: SubgraphContext): DelegationRequestStatus {
    return statusOf(request, operation.clock.now());
  }

  @FieldResolver(() => [DelegationUser], {
    nullable: true,
    description:
      'Those of `userIds` who are still of the provider, for owners of the client and users of the provider; null for ' +
      'others, and where nobody is named.',
  })
  async users(
    @Root() request: DelegationRequest,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationUser[] | null> {
    return shownUsers(operation, request);
  }

  @Authorized('identity.delegation.read')
  @Query(() => DelegationRequestPage, {
    description:
      'What the provider of the tenant has asked it for; oldest first. Kept for 90 days after its end, and that of its grant.',
  })
  async delegationRequests(
    @Args(() => DelegationRequestsArgs) args: DelegationRequestsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<DelegationRequest>> {
    return this.requests.received(operation, args);
  }

  @Authorized('identity.delegation.use')
  @Query(() => DelegationRequestPage, {
    description:
      'What the tenant has asked its clients for; oldest first. Kept for 90 days after its end, and that of its grant. PLAN_REQUIRED.',
  })
  async delegationRequestsSent(
    @Args(() => DelegationRequestsArgs) args: DelegationRequestsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<DelegationRequest>> {
    return this.requests.sent(operation, args);
  }

  @Authorized('identity.delegation.use')
  @Mutation(() => DelegationRequest, {
    description:
      'Asks a client for access to its tenant, in one role and for a time, for all users or those that are named. Its owners are mailed, and have seven days to ' +
      'answer; nothing may be done until one approves. The same again while it is open is the same request. CONFLICT ' +
      '(REQUEST_PENDING) while another one is open, PLAN_REQUIRED, NOT_FOUND for whoever is no client, FORBIDDEN ' +
      '(TENANT_SUSPENDED), VALIDATION_FAILED, RATE_LIMITED after several to one client.',
  })
  async requestDelegation(
    @Arg('input', () => RequestDelegationInput, { description: 'The client, and what is asked for.' })
    input: RequestDelegationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.request(operation, input);
  }

  @Authorized('identity.delegation.use')
  @Mutation(() => DelegationRequest, {
    description:
      'Takes a request for access back. Safe to repeat. NOT_FOUND, CONFLICT (REQUEST_ENDED), FORBIDDEN (TENANT_SUSPENDED).',
  })
  async withdrawDelegationRequest(
    @Arg('id', () => ID, { description: 'The request.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.withdraw(operation, id);
  }

  @Authorized('identity.delegation.manage')
  @Mutation(() => DelegationRequest, {
    description:
      'Grants what the provider has asked for, or less of it, from now on. A grant that is in force is replaced. Safe to ' +
      'repeat. NOT_FOUND, CONFLICT (REQUEST_ENDED, NOBODY_LEFT of those that it names), VALIDATION_FAILED for more than was asked for, FORBIDDEN (ROLE_CHANGED).',
  })
  async approveDelegation(
    @Arg('id', () => ID, { description: 'The request.' }) id: string,
    @Arg('input', () => ApproveDelegationInput, {
      nullable: true,
      description: 'What is less than was asked for; all of it is granted without.',
    })
    input: ApproveDelegationInput | null | undefined,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.approve(operation, id, input);
  }

  @Authorized('identity.delegation.manage')
  @Mutation(() => DelegationRequest, {
    description:
      'Declines what the provider has asked for. Safe to repeat. NOT_FOUND, CONFLICT (REQUEST_ENDED), FORBIDDEN (ROLE_CHANGED).',
  })
  async declineDelegation(
    @Arg('id', () => ID, { description: 'The request.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.decline(operation, id);
  }

  @Authorized('identity.delegation.read')
  @Subscription(() => DelegationRequest, {
    subscribe: eventSource('identity.delegation.read', () => ({
      topics: ['identity.delegation-request.changed'],
    })),
    description:
      'The provider of the tenant asks for access, or a request was answered or withdrawn. That one ends at its time is no ' +
      'event. `extensions.cursor` of an event, given back as `extensions.after` within 24 hours, resumes after it.',
  })
  async delegationRequestChanged(
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.get(operation, payload.entityId);
  }

  @Authorized('identity.delegation.use')
  @Subscription(() => DelegationRequest, {
    subscribe: eventSource<SentDelegationRequestChangedArgs>('identity.delegation.use', ({ clientId }) => ({
      topics: ['identity.delegation-request.received'],
      matches: ({ payload }) => clientId == null || payload['clientId'] === clientId,
    })),
    description:
      'A request of the tenant for access to a client was made, answered or withdrawn; it is given as it is now. That one ' +
      'ends at its time is no event. `extensions.cursor` of an event, given back as `extensions.after` within 24 hours, ' +
      'resumes after it. PLAN_REQUIRED.',
  })
  async sentDelegationRequestChanged(
    @Args(() => SentDelegationRequestChangedArgs) _args: SentDelegationRequestChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.getSent(operation, payload.entityId);
  }
}
