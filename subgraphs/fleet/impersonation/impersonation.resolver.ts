import { Arg, Authorized, Ctx, ID, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import {
  ImpersonateInstanceInput,
  ImpersonateInstancePayload,
  RedeemImpersonationInput,
  RedeemImpersonationPayload,
} from './impersonation.inputs.js';
import type { ImpersonationService } from './impersonation.service.js';

@Resolver()
export class ImpersonationResolver {
  constructor(private readonly impersonations: ImpersonationService) {}

  /** The permission is the service's to check, as a refusal goes into the trail. */
  @Authorized()
  @Mutation(() => ImpersonateInstancePayload, {
    description:
      'Lets the calling user into a node without a password there ("open in node"). Each call gives a new address. ' +
      "A provider's user may too, under a grant in a role that may. Audited, and so are refusals and what becomes of " +
      'it. NOT_FOUND, VALIDATION_FAILED.',
  })
  async impersonateInstance(
    @Arg('id', () => ID, { description: 'The instance.' }) id: string,
    @Arg('input', () => ImpersonateInstanceInput, { nullable: true, description: 'Why.' })
    input: ImpersonateInstanceInput | null | undefined,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ImpersonateInstancePayload> {
    return this.impersonations.mint(operation, id, input);
  }

  @Authorized('fleet.impersonation.redeem')
  @Mutation(() => RedeemImpersonationPayload, {
    description:
      'A node asks who the browser is that brought it a token. BAD_REQUEST with a reason: TOKEN_INVALID, TOKEN_EXPIRED ' +
      'after 60 seconds, WRONG_NODE for any but the node it is for, TOKEN_USED the second time, ' +
      'GRANT_ENDED, ACCESS_ENDED when the session that asked for it is over. VALIDATION_FAILED.',
  })
  async redeemImpersonation(
    @Arg('input', () => RedeemImpersonationInput, { description: 'The token.' })
    input: RedeemImpersonationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<RedeemImpersonationPayload> {
    return this.impersonations.redeem(operation, input);
  }
}
