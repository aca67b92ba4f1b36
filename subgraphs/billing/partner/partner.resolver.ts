import {
  Arg,
  Args,
  Authorized,
  Ctx,
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
import { eventSource } from '#platform/subgraph/subscription.js';

import { panelTenant } from './announced-partner.job.js';
import type { PartnerDecisions } from './partner-decision.service.js';
import { PartnerOutlook, PartnerTier } from './partner-tier.js';
import { partnerTiers, tierAbove, tierFor, tierOf } from './partner-tiers.js';
import { Partner, PartnerPage } from './partner.entity.js';
import {
  ApprovePartnerInput,
  PartnerChangedArgs,
  PartnersArgs,
  RegisterPartnerInput,
  UpdatePartnerInput,
} from './partner.inputs.js';
import { isAdministrator, type PartnerService } from './partner.service.js';
import { PartnerTierChangePage, type PartnerTierChange } from './tier-change.entity.js';

const byAdministrators = 'Platform administrators only. Safe to repeat. NOT_FOUND, CONFLICT (PARTNER_STATUS)';

@Resolver(() => Partner)
export class PartnerResolver {
  constructor(
    private readonly partners: PartnerService,
    private readonly decisions: PartnerDecisions,
  ) {}

  @Authorized('billing.partner.read')
  @Query(() => [PartnerTier], {
    name: 'partnerTiers',
    description: 'The tiers of partners, the least first.',
  })
  listTiers(): PartnerTier[] {
    return [...partnerTiers];
  }

  @Authorized('billing.partner.read')
  @Query(() => PartnerPage, {
    name: 'partners',
    description:
      "The tenant's registrations as a partner, oldest first; for platform administrators those of all tenants.",
  })
  async listPartners(
    @Args(() => PartnersArgs) { filter, ...page }: PartnersArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Partner>> {
    return this.partners.page(operation, filter ?? {}, page);
  }

  @Authorized('billing.partner.read')
  @Subscription(() => Partner, {
    subscribe: eventSource<PartnerChangedArgs>('billing.partner.read', ({ partnerId }, operation) => ({
      ...(isAdministrator(operation)
        ? { topics: ['billing.partner.announced'], of: panelTenant }
        : { topics: ['billing.partner.changed'] }),
      matches: ({ entityId }) => partnerId == null || entityId === partnerId,
    })),
    description:
      "A registration of the tenant's as a partner, of any tenant's for platform administrators: it was made, decided about " +
      'or changed, or has another tier; it is given as it is now. Resumes as `instanceChanged` does.',
  })
  async partnerChanged(
    @Args(() => PartnerChangedArgs) _args: PartnerChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.partners.get(operation, payload.entityId);
  }

  @Authorized('billing.partner.read')
  @Query(() => Partner, {
    description: "One of the tenant's registrations; for platform administrators any. NOT_FOUND.",
  })
  async partner(
    @Arg('id', () => ID, { description: 'The partner.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.partners.get(operation, id);
  }

  @Authorized('billing.partner.read')
  @Query(() => PartnerTierChangePage, {
    description: "When a partner's tier changed, newest first. NOT_FOUND.",
  })
  async partnerTierChanges(
    @Arg('partnerId', () => ID, { description: 'The partner.' }) partnerId: string,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<PartnerTierChange>> {
    return this.partners.tierChanges(operation, partnerId, args);
  }

  @FieldResolver(() => Boolean, {
    description: "Whether it is a registration of the viewer's own organization.",
  })
  isOwn(@Root() { tenantId }: Partner, @Ctx() { operation }: SubgraphContext): boolean {
    return tenantId === operation.tenantId;
  }

  @Authorized('billing.partner.manage')
  @Mutation(() => Partner, {
    description:
      'Registers the tenant as a partner; a platform administrator, who is told of it by mail, then decides. CONFLICT (ALREADY_REGISTERED) unless it ' +
      'was rejected before, CONFLICT (MANAGED_BY_PROVIDER) for the client of a provider, VALIDATION_FAILED.',
  })
  async registerPartner(
    @Arg('input', () => RegisterPartnerInput, { description: 'The partner.' }) input: RegisterPartnerInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.partners.register(operation, input);
  }

  @Authorized('billing.partner.manage')
  @Mutation(() => Partner, {
    description: 'Changes how the tenant presents itself as a partner. NOT_FOUND, VALIDATION_FAILED.',
  })
  async updatePartner(
    @Arg('id', () => ID, { description: 'The partner.' }) id: string,
    @Arg('input', () => UpdatePartnerInput, { description: 'What changes; the rest stays.' })
    input: UpdatePartnerInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.partners.update(operation, id, input);
  }

  @Authorized('billing.partner.decide')
  @Mutation(() => Partner, {
    description:
      'Approves a partner that waits for it or is suspended: it has the tier of its instances at once, and the subscriptions ' +
      `of its customers the discount within a minute. ${byAdministrators}, VALIDATION_FAILED.`,
  })
  async approvePartner(
    @Arg('input', () => ApprovePartnerInput, { description: 'The partner and its commission.' })
    input: ApprovePartnerInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.decisions.approve(operation, input);
  }

  @Authorized('billing.partner.decide')
  @Mutation(() => Partner, {
    description: `Turns down a partner that waits for a decision. ${byAdministrators}.`,
  })
  async rejectPartner(
    @Arg('id', () => ID, { description: 'The partner.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.decisions.reject(operation, id);
  }

  @Authorized('billing.partner.decide')
  @Mutation(() => Partner, {
    description:
      'Suspends an approved partner: its tier and commission end at once, the discount on the subscriptions of its ' +
      `customers within a minute. ${byAdministrators}.`,
  })
  async suspendPartner(
    @Arg('id', () => ID, { description: 'The partner.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Partner> {
    return this.decisions.suspend(operation, id);
  }

  @FieldResolver(() => PartnerTier, { nullable: true, description: 'Its tier; see `tierId`.' })
  tier(@Root() { tierId }: Partner): PartnerTier | null {
    return tierOf(tierId) ?? null;
  }

  @FieldResolver(() => PartnerOutlook, {
    description: 'What more or fewer instances would make of its tier, while it is approved.',
  })
  outlook(@Root() { instances }: Partner): PartnerOutlook {
    const [current, next] = [tierFor(instances), tierAbove(instances)];
    return {
      nextTier: next ?? null,
      instancesMissing: next ? next.minInstances - instances : null,
      lowerTier: (current && tierFor(current.minInstances - 1)) ?? null,
      instancesToSpare: current ? instances - current.minInstances : null,
    };
  }
}
