import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { blanks, InstanceReference, presentInstance } from '../node/instance.reference.js';
import {
  ByInstanceArgs,
  formula,
  InstanceScore,
  InstanceScorePage,
  ScoreDay,
  Scores,
} from './score.types.js';
import type { ScoresService } from './scores.service.js';

@ArgsType()
class ScoreChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only that of this instance.' })
  instanceId?: string | null;
}

@Resolver(() => Scores)
export class ScoresResolver {
  constructor(private readonly service: ScoresService) {}

  @Authorized('governance.score.read')
  @Query(() => Scores, { description: `How far policies hold. ${formula}` })
  async scores(@Ctx() { operation }: SubgraphContext): Promise<Scores> {
    return this.service.overall(operation);
  }

  @Authorized('governance.score.read')
  @Query(() => [ScoreDay], {
    description: 'The overall score by day, oldest first; days without one are left out.',
  })
  async scoreHistory(
    @Arg('days', () => Int, { description: 'How many days, today included: 1 to 400.' }) days: number,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ScoreDay[]> {
    return this.service.history(operation, days);
  }

  @FieldResolver(() => [InstanceScore], {
    description:
      'Of each instance, in the order in which they enrolled. `instancePage` has how many there are, and whether others follow.',
  })
  async byInstance(
    @Args(() => ByInstanceArgs) args: ByInstanceArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceScore[]> {
    return this.service.byInstance(operation, args);
  }

  @FieldResolver(() => InstanceScorePage, {
    description: 'Of each instance by pages, in the order in which they enrolled.',
  })
  async instancePage(
    @Args(() => PageArgs) args: PageArgs,
    @Root() { instances }: Scores,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<InstanceScore>> {
    return this.service.page(operation, args, instances);
  }

  @Authorized('governance.score.read')
  @Subscription(() => InstanceScore, {
    subscribe: eventSource<ScoreChangedArgs>('governance.score.read', ({ instanceId }) => ({
      topics: ['governance.score.changed'],
      matches: ({ payload }) => instanceId == null || payload['instanceId'] === instanceId,
    })),
    description:
      "An instance's score, or how many policies do not hold there, is another; it is given as it is now. Of clusters nothing is told. " +
      '`extensions.cursor` of an event, given back as `extensions.after` within 24 hours, resumes after it.',
  })
  async scoreChanged(
    @Args(() => ScoreChangedArgs) _args: ScoreChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceScore> {
    return this.service.get(operation, payload.entityId);
  }
}

@Resolver(() => InstanceScore)
export class InstanceScoreResolver {
  @FieldResolver(() => InstanceReference, { description: 'The instance.', deprecationReason: blanks })
  instance(@Root() { instanceId }: InstanceScore): InstanceReference {
    return { id: instanceId };
  }

  @FieldResolver(() => InstanceReference, { nullable: true, description: presentInstance })
  presentInstance(@Root() { instanceId }: InstanceScore): InstanceReference {
    return { id: instanceId };
  }
}
