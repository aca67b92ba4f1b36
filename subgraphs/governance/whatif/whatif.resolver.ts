import { Arg, Authorized, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { blanks, InstanceReference, presentInstance } from '../node/instance.reference.js';
import type { WhatIfService } from './whatif.service.js';
import { PolicyPreview, PolicyPreviewResult, PreviewPolicyInput } from './whatif.types.js';

@Resolver(() => PolicyPreviewResult)
export class WhatIfResolver {
  constructor(private readonly service: WhatIfService) {}

  @Authorized('governance.policy.read')
  @Query(() => PolicyPreview, {
    description:
      "What a policy would find in today's fleet, before it is made or changed. Nothing is kept, and nobody is told. " +
      'VALIDATION_FAILED names the place in the rule; BAD_REQUEST where the fleet can not be looked through within 3 s. ' +
      'An organization has one at a time: where others take longer than 5 s it is RATE_LIMITED (PREVIEWS_UNDER_WAY).',
  })
  async previewPolicy(
    @Arg('input', () => PreviewPolicyInput, { description: 'The policy.' }) input: PreviewPolicyInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PolicyPreview> {
    return this.service.preview(operation, input);
  }

  @FieldResolver(() => InstanceReference, { description: 'The instance.', deprecationReason: blanks })
  instance(@Root() { instanceId }: PolicyPreviewResult): InstanceReference {
    return { id: instanceId };
  }

  @FieldResolver(() => InstanceReference, { nullable: true, description: presentInstance })
  presentInstance(@Root() { instanceId }: PolicyPreviewResult): InstanceReference {
    return { id: instanceId };
  }
}
