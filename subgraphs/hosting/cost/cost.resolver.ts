import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  Float,
  FieldResolver,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Server } from '../server/server.entity.js';
import { costBetween, HostingCost, ServerForecast, SetHostingBudgetInput } from './cost.js';
import type { CostService } from './cost.service.js';

@ArgsType()
class ForecastArgs {
  @Field(() => String, { description: 'The provider, by `Provider.id`: `hetzner` or `digitalocean`.' })
  provider!: string;

  @Field(() => String, { description: 'A location or zone of the provider.' })
  region!: string;

  @Field(() => String, { description: "The provider's size." })
  size!: string;
}

@Resolver(() => Server)
export class CostResolver {
  constructor(private readonly costs: CostService) {}

  @Authorized('hosting.cost.read')
  @Query(() => [HostingCost], {
    description: "What the tenant's servers cost, by currency. None without a server or a budget.",
  })
  async hostingCosts(@Ctx() { operation }: SubgraphContext): Promise<HostingCost[]> {
    return this.costs.costs(operation);
  }

  @Authorized('hosting.cost.read')
  @Query(() => ServerForecast, {
    description:
      'What one server more would cost, before it is asked for. VALIDATION_FAILED for an unknown provider, region or size, ' +
      'CONFLICT (PROVIDER_NOT_CONNECTED), (SOLD_OUT) with alternatives.',
  })
  async serverForecast(
    @Args(() => ForecastArgs) wanted: ForecastArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ServerForecast> {
    return this.costs.forecast(operation, wanted);
  }

  @Authorized('hosting.budget.manage')
  @Mutation(() => [HostingCost], {
    description:
      'Sets the most that a month of all servers that are paid in one currency may cost; servers that would exceed it are ' +
      'refused, and what is there goes on. Safe to repeat. VALIDATION_FAILED.',
  })
  async setHostingBudget(
    @Arg('input', () => SetHostingBudgetInput, { description: 'The budget.' }) input: SetHostingBudgetInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HostingCost[]> {
    return this.costs.setBudget(operation, input);
  }

  @Authorized('hosting.cost.read')
  @FieldResolver(() => Float, {
    description:
      'What it has cost so far with its public IPv4 address, net, in major units: begun hours, and of either in each ' +
      'calendar month (UTC) no more than a month.',
  })
  costSoFar(@Root() server: Server, @Ctx() { operation }: SubgraphContext): number {
    const { billedFrom, billedTo } = server;
    return billedFrom ? costBetween(server, billedFrom, billedTo ?? operation.clock.now()) : 0;
  }
}
