import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { InstanceReference } from './instance.reference.js';
import { Licence, LicencePage, LicenceStatus } from './licence.entity.js';
import { LicenceCode, LicencesArgs, LicenceValidation, ValidateLicenceInput } from './licence.inputs.js';
import type { LicenceService } from './licence.service.js';

@Resolver(() => Licence)
export class LicenceResolver {
  constructor(private readonly service: LicenceService) {}

  @Authorized('billing.licence.read')
  @Query(() => LicencePage, {
    description: 'The licences of the nodes that are in the fleet, in the order in which they were licensed.',
  })
  async licences(
    @Args(() => LicencesArgs) args: LicencesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Licence>> {
    return this.service.page(operation, args);
  }

  @Authorized('billing.licence.read')
  @Query(() => Licence, {
    description: 'One licence, for a year after its node has left the fleet too. NOT_FOUND.',
  })
  async licence(
    @Arg('id', () => ID, { description: 'The licence.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Licence> {
    return this.service.get(operation, id);
  }

  @Authorized('billing.licence.receive')
  @Query(() => Licence, {
    description: 'The licence of the node that asks. NOT_FOUND for some moments after it has enrolled.',
  })
  async ownLicence(@Ctx() { operation }: SubgraphContext): Promise<Licence> {
    return this.service.own(operation);
  }

  @Authorized('billing.licence.read')
  @Query(() => LicenceValidation, { description: 'Judges a licence by what is known now.' })
  async validateLicence(
    @Arg('input', () => ValidateLicenceInput, { description: 'The licence.' }) input: ValidateLicenceInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<LicenceValidation> {
    return this.service.validate(operation, input);
  }

  @FieldResolver(() => String, {
    description:
      'The licence itself: a JWT signed with Ed25519 that names the node, its plan and what that includes, and when it ends. ' +
      'The keys are at `/licences/keys.json`.',
  })
  async key(@Root() licence: Licence): Promise<string> {
    return this.service.sign(licence);
  }

  @FieldResolver(() => LicenceStatus, { description: 'Whether it holds.' })
  async status(@Root() licence: Licence, @Ctx() { operation }: SubgraphContext): Promise<LicenceStatus> {
    return (await this.service.isActive(operation, licence)) ? LicenceStatus.ACTIVE : LicenceStatus.EXPIRED;
  }

  @FieldResolver(() => LicenceCode, {
    description: 'What there is to say of it now: VALID, OVERDUE, EXPIRED or FREED.',
  })
  async code(@Root() licence: Licence, @Ctx() { operation }: SubgraphContext): Promise<LicenceCode> {
    return this.service.codeOf(operation, licence);
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'From when on it is issued anew, 14 days before it ends; null while it is not: its node has left the fleet, or a ' +
      'payment is overdue beyond its grace.',
  })
  async renewsAt(@Root() licence: Licence, @Ctx() { operation }: SubgraphContext): Promise<Date | null> {
    return this.service.renewalOf(operation, licence);
  }

  @FieldResolver(() => InstanceReference, {
    nullable: true,
    description:
      'The node that it is for; null when it has left the fleet, and, with an error, without the right to see instances.',
  })
  instance(@Root() { instanceId, freedAt }: Licence): InstanceReference | null {
    return freedAt ? null : { id: instanceId };
  }
}

@Resolver(() => InstanceReference)
export class InstanceLicenceResolver {
  constructor(private readonly service: LicenceService) {}

  @Authorized('billing.licence.read')
  @FieldResolver(() => Licence, {
    nullable: true,
    description: 'Its licence; null for some moments after it has enrolled.',
  })
  async licence(
    @Root() { id }: InstanceReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Licence | null> {
    return this.service.ofInstance(operation, id);
  }
}
