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
  Mutation,
  Query,
  Resolver,
} from 'type-graphql';

import { badArgument } from '#platform/errors.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';

import { StartUpgradeInput, UpgradeInput } from './ha.inputs.js';
import { HaStatus } from './ha.js';
import { HaUpgrade } from './upgrade.js';
import type { UpgradeService } from './upgrade.service.js';

const most = 100;

@ArgsType()
class HaUpgradesArgs {
  @Field(() => Int, { defaultValue: 20, description: `How many at most, 1 to ${most}.` })
  first!: number;

  @Field(() => ID, {
    nullable: true,
    description: 'Those before this one, the last of the page before; absent for the first page.',
  })
  after?: string | null;
}

@Resolver(() => HaStatus)
export class UpgradeResolver {
  constructor(private readonly upgrades: UpgradeService) {}

  @Authorized('hosting.ha.read')
  @Query(() => [HaUpgrade], { description: 'Rolling upgrades, newest first.' })
  async haUpgrades(
    @Args(() => HaUpgradesArgs) { first, after = null }: HaUpgradesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaUpgrade[]> {
    if (first < 1 || first > most) throw badArgument('first', `must be from 1 to ${most}`);
    return this.upgrades.list(operation, { first, after });
  }

  @Authorized('hosting.ha.read')
  @Query(() => HaUpgrade, { description: 'One rolling upgrade. NOT_FOUND.' })
  async haUpgrade(
    @Arg('id', () => ID, { description: 'The upgrade.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaUpgrade> {
    return this.upgrades.get(operation, id);
  }

  @Authorized('hosting.ha.manage')
  @Mutation(() => HaUpgrade, {
    description:
      'Has each process end with exit code 75 once it is drained, one at a time and the leader last. Who supervises it ' +
      'starts it anew, and it is waited for until it serves as the version, for ten seconds on end. With none of it within ' +
      'three minutes, with another version, or when one that had come back or another process is gone, the upgrade is ' +
      'paused. What has the version already is left alone. VALIDATION_FAILED, CONFLICT (UPGRADE_UNDER_WAY).',
  })
  async startUpgrade(
    @Arg('input', () => StartUpgradeInput, { description: 'What the panel is to be.' })
    input: StartUpgradeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaUpgrade> {
    return this.upgrades.start(operation, input);
  }

  @Authorized('hosting.ha.manage')
  @Mutation(() => HaUpgrade, {
    description:
      'Goes on with an upgrade that is paused, with the process that failed. Safe to repeat. NOT_FOUND, CONFLICT ' +
      '(UPGRADE_ENDED).',
  })
  async resumeUpgrade(
    @Arg('input', () => UpgradeInput, { description: 'Which one.' }) { id }: UpgradeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaUpgrade> {
    return this.upgrades.resume(operation, id);
  }

  @Authorized('hosting.ha.manage')
  @Mutation(() => HaUpgrade, {
    description:
      'Tells no further process to end. Safe to repeat. NOT_FOUND, CONFLICT (UPGRADE_ENDED) when all have the version.',
  })
  async cancelUpgrade(
    @Arg('input', () => UpgradeInput, { description: 'Which one.' }) { id }: UpgradeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaUpgrade> {
    return this.upgrades.cancel(operation, id);
  }

  @Authorized('hosting.ha.read')
  @FieldResolver(() => HaUpgrade, {
    nullable: true,
    description: 'The upgrade that is under way or paused; null when there is none.',
  })
  async upgrade(@Ctx() { operation }: SubgraphContext): Promise<HaUpgrade | null> {
    return this.upgrades.open(operation);
  }
}
