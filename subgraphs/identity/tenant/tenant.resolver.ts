import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { UserService } from '../user/user.service.js';
import { Tenant } from './tenant.entity.js';
import { GrantPlanInput } from './tenant.inputs.js';
import type { TenantService } from './tenant.service.js';

@Resolver(() => Tenant)
export class TenantResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly users: UserService,
  ) {}

  @Authorized('identity.tenant.read')
  @Query(() => Tenant, { description: "The viewer's own tenant." })
  async tenant(@Ctx() { operation }: SubgraphContext): Promise<Tenant> {
    return this.users.tenant(operation);
  }

  @Authorized('identity.plan.grant')
  @Mutation(() => Tenant, {
    description:
      'Puts a plan in force for a tenant, at once and without payment. Platform administrators only. NOT_FOUND, CONFLICT ' +
      '(MANAGED_BY_PROVIDER): what an MSP client has is decided by its provider.',
  })
  async grantPlan(
    @Arg('input', () => GrantPlanInput) input: GrantPlanInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.tenants.grantPlan(operation, input);
  }
}
