import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Tenant } from '../tenant/tenant.entity.js';
import {
  CloseOrganizationInput,
  RestoreOrganizationInput,
  RestoreOrganizationPayload,
} from './closing.inputs.js';
import type { ClosingService } from './closing.service.js';

@ArgsType()
class CloseTenantArgs {
  @Field(() => ID, { description: 'The tenant.' })
  id!: string;

  @Field(() => CloseOrganizationInput, {
    nullable: true,
    description: 'Who asks. VALIDATION_FAILED (`input.currentPassword`) without it.',
  })
  input?: CloseOrganizationInput | null;
}

@Resolver()
export class ClosingResolver {
  constructor(private readonly closings: ClosingService) {}

  @Authorized('identity.organization.close')
  @Mutation(() => Tenant, {
    description:
      "Closes the viewer's organization: its users, nodes and API keys are refused within seconds, its subscription is " +
      'cancelled at once without money back, and in 30 days (`eraseAt`) all that it has is erased. Until then the link that ' +
      'its owners are mailed, or an administrator of the panel, restores it, but not the subscription, which is to be bought ' +
      'anew. Owners only, and no API keys. Safe to repeat. VALIDATION_FAILED, RATE_LIMITED after several wrong passwords, ' +
      'FORBIDDEN (ROLE_CHANGED), CONFLICT (HAS_CLIENTS) until the last client is erased, (MANAGED_BY_PROVIDER) for MSP ' +
      'clients, (ADMINISTRATORS_TENANT) where administrators of the panel belong to it.',
  })
  async closeOrganization(
    @Arg('input', () => CloseOrganizationInput, { description: 'Who asks.' }) input: CloseOrganizationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.closings.closeOwn(operation, input);
  }

  @Mutation(() => RestoreOrganizationPayload, {
    description:
      'Takes the closing of an organization back, by the link that its owners were mailed. Its users sign in anew, unless ' +
      "the panel's administrators have suspended it as well; what it subscribed to is not brought back. Public. " +
      'UNAUTHENTICATED (MAIL_TOKEN_INVALID) when the link is unknown, ended or used.',
  })
  async restoreOrganization(
    @Arg('input', () => RestoreOrganizationInput, { description: 'The link.' })
    input: RestoreOrganizationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<RestoreOrganizationPayload> {
    return this.closings.restoreByLink(operation, input.token);
  }

  @Authorized('identity.tenant.close')
  @Mutation(() => Tenant, {
    description:
      'Closes a tenant as `closeOrganization` does, and mails its owners the link that restores it; one that was suspended ' +
      'before stays so when they use it. Platform administrators only, with their password, and a code where theirs are on. Safe ' +
      'to repeat. NOT_FOUND, VALIDATION_FAILED, RATE_LIMITED after several wrong passwords, FORBIDDEN (ROLE_CHANGED), CONFLICT ' +
      '(OWN_TENANT, HAS_CLIENTS, MANAGED_BY_PROVIDER, ADMINISTRATORS_TENANT).',
  })
  async closeTenant(
    @Args(() => CloseTenantArgs) { id, input }: CloseTenantArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Tenant> {
    return this.closings.closeTenant(operation, id, input);
  }
}
