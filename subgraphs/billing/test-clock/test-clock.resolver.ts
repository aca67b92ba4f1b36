import { Arg, Authorized, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { TestClock, timeOf } from './test-clock.entity.js';
import { AdvanceTestClockInput } from './test-clock.inputs.js';
import type { TestClockService } from './test-clock.service.js';

@Resolver(() => TestClock)
export class TestClockResolver {
  constructor(private readonly service: TestClockService) {}

  @Authorized('billing.test-clock.read')
  @Query(() => TestClock, {
    nullable: true,
    description: "The tenant's own time; null in a panel without test clocks, where it is the machine's.",
  })
  async testClock(@Ctx() { operation }: SubgraphContext): Promise<TestClock | null> {
    return this.service.own(operation);
  }

  @Authorized('billing.test-clock.advance')
  @Mutation(() => TestClock, {
    description:
      "Moves the tenant's time on, and lets all happen that is due until then: renewals and failed payments at the payment " +
      "provider's test clock, dunning, licences, silence of nodes, alerts, commands and their leases, and the ends of " +
      'sessions, invitations, keys and tokens. No other tenant is touched. ADVANCING when that takes longer than some ' +
      'seconds: `testClock` tells when it is done. Repeating a call changes nothing more. VALIDATION_FAILED for a time that ' +
      'is not later, or further than two years; CONFLICT (TEST_CLOCKS_OFF) unless the panel was started with TEST_CLOCKS, ' +
      '(TEST_CLOCK_ADVANCING) on its way to another time, (CUSTOMER_WITHOUT_TEST_CLOCK) where the payment provider knew the ' +
      'tenant before.',
  })
  async advanceTestClock(
    @Arg('input', () => AdvanceTestClockInput, { description: 'Where it is to go.' })
    input: AdvanceTestClockInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<TestClock> {
    return this.service.advance(operation, input);
  }

  @FieldResolver(() => DateTime, { description: 'What time it is for the tenant.' })
  now(@Root() clock: TestClock, @Ctx() { operation }: SubgraphContext): Date {
    return timeOf(clock, operation.clock.now());
  }
}
