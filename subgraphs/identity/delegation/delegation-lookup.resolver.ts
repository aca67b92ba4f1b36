import { Arg, Authorized, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { DelegationRequest } from './delegation-request.entity.js';
import type { DelegationRequestService } from './delegation-request.service.js';
import { Delegation } from './delegation.entity.js';
import type { DelegationService } from './delegation.service.js';
import { providerName, requesterName } from './provider-names.service.js';

const ofProvider = {
  nullable: true,
  description: 'The name of that tenant as it is now; null once it is erased.',
} as const;

/** Grants by their ids, and whose they are. */
@Resolver(() => Delegation)
export class DelegationLookupResolver {
  constructor(private readonly delegations: DelegationService) {}

  @Authorized('identity.delegation.read')
  @Query(() => Delegation, { description: 'One grant of the tenant to its provider. NOT_FOUND.' })
  async delegation(
    @Arg('id', () => ID, { description: 'The grant.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.get(operation, id);
  }

  @Authorized('identity.delegation.use')
  @Query(() => Delegation, { description: 'One grant of a client to the tenant. NOT_FOUND, PLAN_REQUIRED.' })
  async delegationReceived(
    @Arg('id', () => ID, { description: 'The grant.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Delegation> {
    return this.delegations.getReceived(operation, id);
  }

  @FieldResolver(() => String, ofProvider)
  async providerName(
    @Root() delegation: Delegation,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return providerName(operation, delegation);
  }
}

/** Requests for access by their ids, and whose they are. */
@Resolver(() => DelegationRequest)
export class DelegationRequestLookupResolver {
  constructor(private readonly requests: DelegationRequestService) {}

  @Authorized('identity.delegation.read')
  @Query(() => DelegationRequest, {
    description: 'One request of the provider for access to the tenant. NOT_FOUND.',
  })
  async delegationRequest(
    @Arg('id', () => ID, { description: 'The request.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.get(operation, id);
  }

  @Authorized('identity.delegation.use')
  @Query(() => DelegationRequest, {
    description: 'One request of the tenant for access to a client. NOT_FOUND, PLAN_REQUIRED.',
  })
  async delegationRequestSent(
    @Arg('id', () => ID, { description: 'The request.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DelegationRequest> {
    return this.requests.getSent(operation, id);
  }

  @FieldResolver(() => String, ofProvider)
  async providerName(
    @Root() request: DelegationRequest,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return providerName(operation, request);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The name of the user who asked, as it is now; null when they have left the provider, and for whoever is neither an ' +
      'owner of the client nor a user of the provider.',
  })
  async requestedByName(
    @Root() request: DelegationRequest,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return requesterName(operation, request);
  }
}
