import { Arg, Args, Authorized, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import type { UserService } from '../user/user.service.js';
import type { InvitedTenants } from './invited-tenant.service.js';
import { ListedTenantPage, TenantsArgs, type ListedTenant } from './listed-tenant.js';
import type { SuspensionService } from './suspension.service.js';
import type { TenantSearch } from './tenant-search.service.js';
import { Tenant } from './tenant.entity.js';
import { CreateTenantInput, GrantPlanInput, UpdateTenantInput } from './tenant.inputs.js';
import type { TenantService } from './tenant.service.js';

@Resolver(() => Tenant)
export class TenantResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly users: UserService,
    private readonly suspensions: SuspensionService,
    private readonly searches: TenantSearch,
    private readonly invited: InvitedTenants,
  ) {}

  @Authorized('identity.tenant.read')
  @Query(() => Tenant, { description: "The viewer's own tenant." })
  async tenant(@Ctx() { operation }: SubgraphContext): Promise<Tenant> {
    return this.users.tenant(operation);
  }

  @Authorized('identity.tenant.update')
  @Mutation(() => Tenant, {
    description:
      "Gives the viewer's own tenant another name, which mails and pages have from then on, and its customer at the " +
      'payment provider soon after. Safe to repeat. VALIDATION_FAILED, CONFLICT (MANAGED_BY_PROVIDER): what an MSP ' +
      'client is called is decided by its provider.',
  })
  async updateTenant(
    @Arg('input', () => UpdateTenantInput, { description: 'The name.' }) input: UpdateTenantInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.tenants.update(operation, input);
  }

  @Authorized('identity.tenant.list')
  @Query(() => ListedTenantPage, {
    name: 'tenants',
    description:
      'The tenants of the panel, in the order in which they were made. Platform administrators only. VALIDATION_FAILED.',
  })
  async listTenants(
    @Args(() => TenantsArgs) { filter, ...page }: TenantsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<ListedTenant>> {
    return this.searches.page(operation, filter ?? {}, page);
  }

  @Authorized('identity.tenant.create')
  @Mutation(() => Tenant, {
    description:
      'Makes a tenant of the plan Free, whose owner is invited by mail. Platform administrators only, also while ' +
      'registration is closed. Repeated with the same name and address while nobody has joined, it invites again and makes ' +
      'no second one. CONFLICT (EMAIL_TAKEN), VALIDATION_FAILED, RATE_LIMITED after several invitations.',
  })
  async createTenant(
    @Arg('input', () => CreateTenantInput, { description: 'The organization and its owner.' })
    input: CreateTenantInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.invited.create(operation, input);
  }

  @Authorized('identity.plan.grant')
  @Mutation(() => Tenant, {
    description:
      'Puts a plan in force for a tenant, at once and without payment, until its subscription gives another; what an ' +
      'overdue payment held up can be added again, also with the plan that is in force. Platform administrators only. ' +
      'Safe to repeat. NOT_FOUND, CONFLICT (MANAGED_BY_PROVIDER): what an MSP client has is decided by its provider.',
  })
  async grantPlan(
    @Arg('input', () => GrantPlanInput, { description: 'The tenant and the plan.' }) input: GrantPlanInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.tenants.grantPlan(operation, input);
  }

  @Authorized('identity.plan.grant')
  @Mutation(() => Tenant, {
    description:
      'Ends what `grantPlan` has put in force: within seconds the plan that the tenant subscribes to follows, FREE without ' +
      'one. Platform administrators only. Safe to repeat. NOT_FOUND, CONFLICT (MANAGED_BY_PROVIDER).',
  })
  async endPlanGrant(
    @Arg('tenantId', () => ID, { description: 'The tenant.' }) tenantId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.tenants.endPlanGrant(operation, tenantId);
  }

  @Authorized('identity.tenant.suspend')
  @Mutation(() => Tenant, {
    description:
      'Suspends a tenant: its users, nodes and API keys are refused within seconds. A subscription that it pays goes on ' +
      'being charged, and nobody of it can sign in to cancel that: `closeTenant` cancels it. Platform administrators only. ' +
      'Safe to repeat. Of a client its provider cannot undo it, and of a closed one no owner. NOT_FOUND, CONFLICT (OWN_TENANT).',
  })
  async suspendTenant(
    @Arg('id', () => ID, { description: 'The tenant.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.suspensions.suspend(operation, id);
  }

  @Authorized('identity.tenant.suspend')
  @Mutation(() => Tenant, {
    description:
      'Ends the suspension of a tenant, and takes its closing back. Its users sign in anew; a subscription that was cancelled ' +
      'by the closing is not brought back. Platform administrators only. Safe to repeat. A client that its provider has ' +
      'suspended as well stays so. NOT_FOUND, also once its erasure has begun.',
  })
  async restoreTenant(
    @Arg('id', () => ID, { description: 'The tenant.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.suspensions.restore(operation, id);
  }
}
