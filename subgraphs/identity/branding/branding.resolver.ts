import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Branding, UpdateBrandingInput } from './branding.js';
import type { BrandingService } from './branding.service.js';

@Resolver()
export class BrandingResolver {
  constructor(private readonly brandings: BrandingService) {}

  @Authorized('identity.branding.read')
  @Query(() => Branding, {
    description:
      "The tenant's branding, or that of its provider while it has none of its own. PLAN_REQUIRED.",
  })
  async branding(@Ctx() { operation }: SubgraphContext): Promise<Branding> {
    return this.brandings.get(operation);
  }

  @Authorized('identity.branding.read')
  @Query(() => Branding, {
    nullable: true,
    description:
      "How the console presents itself to the viewer: by the branding of the tenant that they act in, or by its provider's; " +
      "null where the plan of neither has branding, or nobody has set one, and the panel's own name is shown.",
  })
  async shownBranding(@Ctx() { operation }: SubgraphContext): Promise<Branding | null> {
    return this.brandings.shown(operation);
  }

  @Authorized('identity.branding.manage')
  @Mutation(() => Branding, {
    description:
      "Changes the tenant's branding. The logo is fetched and looked at: one that is out of reach is a warning, one that " +
      'is no image or holds scripts is refused. PLAN_REQUIRED, VALIDATION_FAILED.',
  })
  async updateBranding(
    @Arg('input', () => UpdateBrandingInput, { description: 'What changes; the rest stays.' })
    input: UpdateBrandingInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Branding> {
    return this.brandings.update(operation, input);
  }
}
