import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Subscription,
} from 'type-graphql';

import { badArgument } from '#platform/errors.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import { panelTenant } from './events.js';
import type { FailoverService } from './failover.service.js';
import { FailOverInput } from './ha.inputs.js';
import { HaChange, HaNode, HaStatus } from './ha.js';
import type { HaService } from './status.service.js';

const read = 'hosting.ha.read';
const mostChanges = 200;

@ArgsType()
class HaChangesArgs {
  @Field(() => Int, { defaultValue: 20, description: `How many at most, 1 to ${mostChanges}.` })
  first!: number;

  @Field(() => ID, {
    nullable: true,
    description: 'Those before this one, the last of the page before; absent for the first page.',
  })
  after?: string | null;
}

@Resolver()
export class HaResolver {
  constructor(
    private readonly ha: HaService,
    private readonly failovers: FailoverService,
  ) {}

  @Authorized(read)
  @Query(() => HaStatus, {
    description:
      "How the panel and its database stand. For the platform's administrators. UNAVAILABLE while the database is away.",
  })
  async haStatus(@Ctx() { operation }: SubgraphContext): Promise<HaStatus> {
    return this.ha.status(operation);
  }

  @Authorized(read)
  @Query(() => [HaNode], {
    description:
      'The processes of the panel, those that are there first; one that ended without a word is shown for ten minutes. ' +
      'Gateways of split mode have no database and are not among them.',
  })
  async haNodes(@Ctx() { operation }: SubgraphContext): Promise<HaNode[]> {
    return this.ha.nodes(operation);
  }

  @Authorized(read)
  @Query(() => [HaChange], { description: 'Who has led, newest first.' })
  async haChanges(
    @Args(() => HaChangesArgs) { first, after = null }: HaChangesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaChange[]> {
    if (first < 1 || first > mostChanges) throw badArgument('first', `must be from 1 to ${mostChanges}`);
    if (after !== null && !/^\d{1,18}$/.test(after)) throw badArgument('after', 'must be the id of a change');
    return this.ha.changes(operation, { first, after });
  }

  @Authorized('hosting.ha.manage')
  @Mutation(() => HaStatus, {
    description:
      'Has another one lead, once the singletons under way have ended. With Patroni it is a server of the database: a ' +
      'switchover, or a failover where nobody leads. A process of the panel gets all leases, and writes of the one before ' +
      'are refused from then on. Safe to repeat, at any process: who leads already goes on, ' +
      'and without a target whoever was chosen within the last minute does. CONFLICT with NO_CANDIDATE, UNKNOWN_CANDIDATE, ' +
      'AMBIGUOUS_CANDIDATE (also of a name that a process and a server have), CANDIDATE_UNHEALTHY, CANDIDATE_LAGGING or ' +
      'PATRONI_REFUSED; UNAVAILABLE with PATRONI_AWAY, PATRONI_CREDENTIALS, PATRONI_FAILED, SINGLETON_UNDER_WAY (nothing ' +
      'was done) or FAILOVER_UNDER_WAY (it takes more than eight seconds and goes on: repeat the call with ' +
      '`details.target`, or as it was). Answers the status ' +
      'when it is done.',
  })
  async failOver(
    @Arg('input', () => FailOverInput, { description: 'Who is to lead.' }) input: FailOverInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HaStatus> {
    return this.failovers.failOver(operation, input);
  }

  @Authorized(read)
  @Subscription(() => HaStatus, {
    subscribe: eventSource(read, () => ({ topics: ['hosting.ha.changed'], of: panelTenant })),
    description:
      'Somebody came, went or is about to, another one leads, or the database stands otherwise. Resumes as ' +
      '`instanceChanged` does.',
  })
  async haChanged(@Ctx() { operation }: SubgraphContext): Promise<HaStatus> {
    return this.ha.status(operation);
  }
}
