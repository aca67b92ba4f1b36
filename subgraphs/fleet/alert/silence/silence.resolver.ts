import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { Alert } from '../alert.entity.js';
import { Silence, SilencePage } from './silence.entity.js';
import { CreateSilenceInput, SilenceFilter } from './silence.inputs.js';
import { SilenceState } from './silence.kinds.js';
import { stateOf } from './silence.match.js';
import type { SilenceService } from './silence.service.js';

@ArgsType()
class SilencesArgs extends PageArgs {
  @Field(() => SilenceFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: SilenceFilter | null;
}

@Resolver(() => Silence)
export class SilenceResolver {
  constructor(private readonly service: SilenceService) {}

  @Authorized('fleet.alert.read')
  @Query(() => SilencePage, { description: "The tenant's silences, newest first, expired ones included." })
  async silences(
    @Args(() => SilencesArgs) { filter, ...page }: SilencesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Silence>> {
    return this.service.page(operation, page, filter);
  }

  @Authorized('fleet.silence.create')
  @Mutation(() => Silence, {
    description:
      'Keeps channels from being told of certain alerts for a while. Those that still fire when it ends are told then. ' +
      'VALIDATION_FAILED, LIMIT_REACHED (SILENCES_LIMIT) at 200 that have not ended.',
  })
  async createSilence(
    @Arg('input', () => CreateSilenceInput, { description: 'The silence.' }) input: CreateSilenceInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Silence> {
    return this.service.create(operation, input);
  }

  @Authorized('fleet.silence.expire')
  @Mutation(() => Silence, { description: 'Ends a silence now. Safe to repeat. NOT_FOUND.' })
  async expireSilence(
    @Arg('id', () => ID, { description: 'The silence.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Silence> {
    return this.service.expire(operation, id);
  }

  @FieldResolver(() => SilenceState, { description: 'Where now is in its window.' })
  state(@Root() silence: Silence, @Ctx() { operation }: SubgraphContext): SilenceState {
    return stateOf(silence, operation.clock.now());
  }
}

@Resolver(() => Alert)
export class AlertSilencesResolver {
  constructor(private readonly service: SilenceService) {}

  @FieldResolver(() => [Silence], {
    description: 'The silences that keep channels from being told of it just now.',
  })
  async silencedBy(@Root() alert: Alert, @Ctx() { operation }: SubgraphContext): Promise<Silence[]> {
    return this.service.of(operation, alert);
  }
}
