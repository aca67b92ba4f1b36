import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
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

import { MspClient, MspClientPage } from './msp-client.entity.js';
import { CreateMspClientInput, MspClientsArgs, UpdateMspClientInput } from './msp-client.inputs.js';
import type { MspClientService } from './msp-client.service.js';
import { panelsOwn, TenantErasurePage, type TenantErasure } from './tenant-erasure.entity.js';
import type { TenantErasureService } from './tenant-erasure.service.js';

@ArgsType()
class MspClientChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this client.' })
  id?: string | null;
}

@Resolver()
export class MspClientResolver {
  constructor(
    private readonly clients: MspClientService,
    private readonly erasures: TenantErasureService,
  ) {}

  @Authorized('identity.msp.read')
  @Query(() => MspClientPage, {
    description:
      "The tenant's clients in the order in which they were made, deleted ones until they are erased. PLAN_REQUIRED " +
      'without the plan and without clients, VALIDATION_FAILED.',
  })
  async mspClients(
    @Args(() => MspClientsArgs) args: MspClientsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<MspClient>> {
    return this.clients.page(operation, args);
  }

  @Authorized('identity.msp.read')
  @Query(() => MspClient, {
    description: "One of the tenant's clients. NOT_FOUND, PLAN_REQUIRED as `mspClients`.",
  })
  async mspClient(
    @Arg('id', () => ID, { description: 'The client.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.get(operation, id);
  }

  @Authorized('identity.msp.read')
  @Query(() => TenantErasurePage, {
    description: 'What became of clients that were deleted, oldest first; kept for as long as the tenant is.',
  })
  async tenantErasures(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<TenantErasure>> {
    return this.erasures.page(operation, operation.tenantId, args);
  }

  @Authorized('identity.tenant.list')
  @Query(() => TenantErasurePage, {
    description:
      "What became of organizations that were closed and were nobody's clients, oldest first. What one had is at GET " +
      '/account/erased/{id} for 30 days. Platform administrators only.',
  })
  async closedTenantErasures(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<TenantErasure>> {
    operation.requireUser();
    return this.erasures.page(operation, panelsOwn, args);
  }

  @Authorized('identity.msp.manage')
  @Mutation(() => MspClient, {
    description:
      "Makes a client: a tenant of its own with a share of the tenant's instance limit, whose owner is invited by mail. It " +
      'is ready within seconds. Each call makes another, unless it is repeated with an `idempotencyKey`. PLAN_REQUIRED, LIMIT_REACHED (INSTANCES_LIMIT) when the shares would be more than the limit, ' +
      'CONFLICT (PAYMENT_OVERDUE), FORBIDDEN (ROLE_CHANGED), VALIDATION_FAILED, RATE_LIMITED after several invitations.',
  })
  async createMspClient(
    @Arg('input', () => CreateMspClientInput, { description: 'The client.' }) input: CreateMspClientInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.create(operation, input);
  }

  @Authorized('identity.msp.manage')
  @Mutation(() => MspClient, {
    description:
      'Changes a client; what it was given takes effect within seconds. PLAN_REQUIRED, NOT_FOUND, LIMIT_REACHED (INSTANCES_LIMIT), CONFLICT ' +
      '(INSTANCES_IN_USE, CLIENT_DELETED, PAYMENT_OVERDUE), FORBIDDEN (ROLE_CHANGED), VALIDATION_FAILED, RATE_LIMITED after several ' +
      'invitations.',
  })
  async updateMspClient(
    @Arg('id', () => ID, { description: 'The client.' }) id: string,
    @Arg('input', () => UpdateMspClientInput, { description: 'What changes; the rest stays.' })
    input: UpdateMspClientInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.update(operation, id, input);
  }

  @Authorized('identity.msp.manage')
  @Mutation(() => MspClient, {
    description:
      'Suspends a client: its users, nodes and API keys are refused within seconds. Safe to repeat. NOT_FOUND, PLAN_REQUIRED as `mspClients`, FORBIDDEN (ROLE_CHANGED).',
  })
  async suspendMspClient(
    @Arg('id', () => ID, { description: 'The client.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.suspend(operation, id);
  }

  @Authorized('identity.msp.manage')
  @Mutation(() => MspClient, {
    description:
      'Ends the suspension of a client, and takes its deletion back. Its users sign in anew, unless the panel itself has ' +
      'suspended it. Safe to repeat. NOT_FOUND, PLAN_REQUIRED as `mspClients`, FORBIDDEN (ROLE_CHANGED).',
  })
  async restoreMspClient(
    @Arg('id', () => ID, { description: 'The client.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.restore(operation, id);
  }

  @Authorized('identity.msp.manage')
  @Mutation(() => MspClient, {
    description:
      'Deletes a client: suspended at once, erased in 30 days with an export and a report, and restorable until then. Safe ' +
      'to repeat. NOT_FOUND, PLAN_REQUIRED as `mspClients`, FORBIDDEN (ROLE_CHANGED).',
  })
  async deleteMspClient(
    @Arg('id', () => ID, { description: 'The client.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.delete(operation, id);
  }

  @Authorized('identity.msp.read')
  @Subscription(() => MspClient, {
    subscribe: eventSource<MspClientChangedArgs>('identity.msp.read', ({ id }) => ({
      topics: ['identity.msp-client.changed', 'identity.msp-client.counted'],
      matches: ({ payload }) => id == null || payload['clientId'] === id,
    })),
    description:
      'A client of the tenant was made or changed, or fares otherwise than before; it is given as it is now. Of ' +
      'how it fares at most two are told in five seconds. `extensions.cursor` of an event, ' +
      'given back as `extensions.after` within 24 hours, resumes after it. PLAN_REQUIRED as `mspClients`.',
  })
  async mspClientChanged(
    @Args(() => MspClientChangedArgs) _args: MspClientChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MspClient> {
    return this.clients.get(operation, payload.entityId);
  }
}
