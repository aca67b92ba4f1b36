import { Authorized, Ctx, FieldResolver, Resolver } from 'type-graphql';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { BillingSubscription } from '../subscription/subscription.entity.js';
import { ownSubscription } from '../subscription/subscription.store.service.js';
import { Usage } from '../usage/usage.js';
import { usageOf } from '../usage/usage.resolver.js';
import { TenantReference } from './tenant.reference.js';

@Resolver(() => TenantReference)
export class TenantReferenceResolver {
  constructor(private readonly entitlements: Entitlements) {}

  // Nullable: the answer to a sign-in names the tenant too, and there nobody is signed in yet as far as billing knows.
  @Authorized('billing.subscription.read')
  @FieldResolver(() => BillingSubscription, {
    nullable: true,
    description: 'Its plan and how it is paid. Null, with an error, without the right to see it.',
  })
  async subscription(@Ctx() { operation }: SubgraphContext): Promise<BillingSubscription> {
    return ownSubscription(operation);
  }

  @Authorized('billing.usage.read')
  @FieldResolver(() => Usage, {
    nullable: true,
    description: 'What it uses of its plan. Null, with an error, without the right to see it.',
  })
  async usage(@Ctx() { operation }: SubgraphContext): Promise<Usage> {
    return usageOf(operation, await this.entitlements.of(operation));
  }
}
