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

import type { ActingService } from './acting.service.js';
import { DelegationUser } from './delegation-user.js';
import { Delegation, DelegationPage } from './delegation.entity.js';
import {
  ActInTenantInput,
  ActInTenantPayload,
  DelegationsArgs,
  GrantDelegationInput,
  LimitDelegationInput,
} from './delegation.inputs.js';
import { delegationTopics, type DelegationService } from './delegation.service.js';
import { shownUsers } from './named-users.service.js';

@ArgsType()
class ReceivedDelegationChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only grants of this client.' })
  clientId?: string | null;
}

@Resolver(() => Delegation)
export class DelegationResolver {
  constructor(
    private readonly delegations: DelegationService,
    private readonly acting: ActingService,
  ) {}

  @FieldResolver(() => [DelegationUser], {
    nullable: true,
    description:
      'Those of `userIds`, for owners of the client and users of the provider; null for others, and where nobody is named.',
  })
  async users(
    @Root() delegation: Delegation,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationUser[] | null> {
    return shownUsers(operation, delegation);
  }

  @Authorized('identity.delegation.read')
  @Query(() => DelegationPage, {
    name: 'delegations',
    description:
      'What the tenant has granted to its provider; oldest first, ended grants included for 90 days.',
  })
  async listDelegations(
    @Args(() => DelegationsArgs) args: DelegationsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Delegation>> {
    return this.delegations.granted(operation, args);
  }

  @Authorized('identity.delegation.use')
  @Query(() => DelegationPage, {
    description:
      'What clients have granted to the tenant; oldest first, ended grants included for 90 days. PLAN_REQUIRED.',
  })
  async delegationsReceived(
    @Args(() => DelegationsArgs) args: DelegationsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Delegation>> {
    return this.delegations.received(operation, args);
  }

  @Authorized('identity.delegation.manage')
  @Mutation(() => Delegation, {
    description:
      'Lets users of the provider act in the tenant, all or those that are named, in one role and for a time. A grant that ' +
      'is in force is replaced. CONFLICT (NO_PROVIDER), FORBIDDEN (ROLE_CHANGED), VALIDATION_FAILED.',
  })
  async grantDelegation(
    @Arg('input', () => GrantDelegationInput, { description: 'What is granted.' })
    input: GrantDelegationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.grant(operation, input);
  }

  @Authorized('identity.delegation.manage')
  @Mutation(() => Delegation, {
    description:
      'Names anew who of the provider may act under a grant that is in force, and nobody else may. Whoever is named no more ' +
      'is refused within seconds, and the enrollment tokens that they made end; all else that was set up stays. To let all ' +
      'in again, grant anew. Safe to repeat. NOT_FOUND, CONFLICT (GRANT_ENDED), FORBIDDEN (ROLE_CHANGED), VALIDATION_FAILED.',
  })
  async limitDelegation(
    @Arg('input', () => LimitDelegationInput, { description: 'The grant, and whom it is for from now on.' })
    input: LimitDelegationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.limit(operation, input);
  }

  @Authorized('identity.delegation.manage')
  @Mutation(() => Delegation, {
    description: 'Ends a grant: whoever acts under it is refused within seconds. Safe to repeat. NOT_FOUND.',
  })
  async revokeDelegation(
    @Arg('id', () => ID, { description: 'The grant.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.revoke(operation, id);
  }

  @Authorized('identity.delegation.use')
  @Mutation(() => ActInTenantPayload, {
    description:
      "A token for acting in a client's tenant, under the grant of the client. PLAN_REQUIRED, FORBIDDEN (GRANT_REQUIRED, " +
      'GRANT_ENDED, NOT_NAMED where the grant is for others), NOT_FOUND for whoever is no client.',
  })
  async actInTenant(
    @Arg('input', () => ActInTenantInput, { description: 'The client.' }) input: ActInTenantInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ActInTenantPayload> {
    return this.acting.act(operation, input.tenantId);
  }

  @Authorized('identity.delegation.read')
  @Subscription(() => Delegation, {
    subscribe: eventSource('identity.delegation.read', () => ({ topics: delegationTopics })),
    description:
      'A grant of the tenant was made, limited to users, ended, or somebody began to act under it. `extensions.cursor` of an event, given ' +
      'back as `extensions.after` within 24 hours, resumes after it.',
  })
  async delegationChanged(
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.get(operation, payload.entityId);
  }

  @Authorized('identity.delegation.use')
  @Subscription(() => Delegation, {
    subscribe: eventSource<ReceivedDelegationChangedArgs>('identity.delegation.use', ({ clientId }) => ({
      topics: ['identity.delegation.received'],
      matches: ({ payload }) => clientId == null || payload['clientId'] === clientId,
    })),
    description:
      'A client of the tenant made, limited or ended a grant to it, or somebody began to act under one; it is given as it is now. ' +
      'That a grant ends at its time is no event. `extensions.cursor` of an event, given back as `extensions.after` within ' +
      '24 hours, resumes after it. PLAN_REQUIRED.',
  })
  async receivedDelegationChanged(
    @Args(() => ReceivedDelegationChangedArgs) _args: ReceivedDelegationChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.getReceived(operation, payload.entityId);
  }
}
