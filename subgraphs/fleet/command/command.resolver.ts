import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Extensions,
  Field,
  FieldResolver,
  ID,
  Mutation,
  ObjectType,
  Int,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import { listsWithout } from '#platform/auth/permissions.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { Command, CommandPage } from './command.entity.js';
import {
  CommandFilter,
  ReportCommandResultInput,
  ResultsArgs,
  RetryCommandInput,
  SendCommandInput,
} from './command.inputs.js';
import { CommandKindInfo, commandKindInfos } from './command.kinds.js';
import type { CommandService } from './command.service.js';
import { errorsIn, waitingIn } from './command.status.js';
import type { DeliveryService } from './delivery.service.js';
import { CommandInvocation } from './invocation.entity.js';
import { ResultsLoader, type ListedResult } from './results.loader.js';

@ArgsType()
class CommandsArgs extends PageArgs {
  @Field(() => CommandFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: CommandFilter | null;
}

@ObjectType({ description: 'How many instances of a command are how.' })
class CommandCounts {
  @Field(() => Int, { description: 'All of them.' })
  total!: number;

  @Field(() => Int, { description: 'Not begun yet: PENDING and DELAYED.' })
  waiting!: number;

  @Field(() => Int, { description: 'At it: IN_PROGRESS.' })
  running!: number;

  @Field(() => Int, { description: 'SUCCESS.' })
  succeeded!: number;

  @Field(() => Int, { description: 'FAILED and EXECUTION_TIMED_OUT: what counts against `maxErrors`.' })
  errors!: number;

  @Field(() => Int, {
    description: 'Ended without having begun: DELIVERY_TIMED_OUT, UNDELIVERABLE, CANCELLED, TERMINATED.',
  })
  notRun!: number;
}

@Resolver(() => Command)
export class CommandResolver {
  constructor(
    private readonly service: CommandService,
    private readonly deliveries: DeliveryService,
  ) {}

  @Authorized('fleet.command.read')
  @Query(() => CommandPage, { description: "The tenant's commands, newest first." })
  async commands(
    @Args(() => CommandsArgs) { filter, ...page }: CommandsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Command>> {
    return this.service.page(operation, page, filter);
  }

  @Authorized('fleet.command.read')
  @Query(() => Command, { description: 'One command. NOT_FOUND.' })
  async command(
    @Arg('id', () => ID, { description: 'The command.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Command> {
    return this.service.get(operation, id);
  }

  @Authorized('fleet.command.read')
  @Query(() => [CommandKindInfo], { description: 'Everything that nodes can be told to do.' })
  commandKinds(): readonly CommandKindInfo[] {
    return commandKindInfos;
  }

  @Authorized('fleet.command.send')
  @Mutation(() => Command, {
    description:
      'Sends a command to instances, connected or not. Nodes get it at once, or at `startAt`, over `commandsFor` or with the ' +
      'answer to their next beat. `Idempotency-Key` holds. VALIDATION_FAILED, also for an instance that is not of the fleet, by ' +
      'its place in the list. CONFLICT (POLICY_VIOLATION) when a mandatory policy does not let it be done on one of them, ' +
      'with the policy and what decided in the details, and (TARGETS_CHANGED) when who has the tags or is in the groups changed ' +
      'just then: send it again. UNAVAILABLE when that cannot be asked and there are such policies. Policies are asked again ' +
      'when `startAt` has come: one that does not let it be done on one of the instances by then has it cancelled, and ' +
      '`refusal` says so. LIMIT_REACHED (PLANNED_COMMANDS_LIMIT) while 100 wait for their `startAt`.',
  })
  async sendCommand(
    @Arg('input', () => SendCommandInput, { description: 'The command and who it is for.' })
    input: SendCommandInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Command> {
    return this.service.send(operation, input);
  }

  @Authorized('fleet.command.send')
  @Mutation(() => Command, {
    description:
      'Sends a command again, as a new one with the same parameters, limits and timeouts, to those of its instances on ' +
      'which it ended in one of the statuses; those that have left the fleet since are left out. What mandatory policies ' +
      'say is asked anew. `Idempotency-Key` holds; without one each call sends another. NOT_FOUND, VALIDATION_FAILED, also ' +
      'when there are no such instances, CONFLICT (COMMAND_UNFINISHED while it goes on at one of those that are named by ' +
      'PENDING, DELAYED or IN_PROGRESS; POLICY_VIOLATION), UNAVAILABLE as of `sendCommand`.',
  })
  async retryCommand(
    @Arg('id', () => ID, { description: 'The command that was sent.' }) id: string,
    @Arg('input', () => RetryCommandInput, { description: 'To which of its instances.' })
    input: RetryCommandInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Command> {
    return this.service.retry(operation, id, input);
  }

  @Authorized('fleet.command.cancel')
  @Mutation(() => Command, {
    description:
      'Keeps instances from beginning with a command; those that have begun go on to their end. Safe to repeat. ' +
      'NOT_FOUND, CONFLICT (COMMAND_FINISHED).',
  })
  async cancelCommand(
    @Arg('id', () => ID, { description: 'The command.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Command> {
    return this.service.cancel(operation, id);
  }

  @Authorized('fleet.command.report')
  @Extensions({ audit: false, mendsText: true })
  @Mutation(() => CommandInvocation, {
    description:
      'A node tells how far it is with a command, or how it ended. Safe to repeat: the first end stands, and a ' +
      'different one is kept as `lateResult`. A node begins only once its first IN_PROGRESS was taken. NOT_FOUND, ' +
      'CONFLICT (LEASE_UNKNOWN; for IN_PROGRESS also COMMAND_FINISHED when it has ended there, by its timeout too, and ' +
      'LEASE_EXPIRED when a first one comes too late or no maintenance window lets it begin any more, so that it is ' +
      'handed out again, or when it was under a newer lease), VALIDATION_FAILED.',
  })
  async reportCommandResult(
    @Arg('commandId', () => ID, { description: 'The command.' }) commandId: string,
    @Arg('input', () => ReportCommandResultInput, { description: 'How it is.' })
    input: ReportCommandResultInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CommandInvocation> {
    return this.deliveries.report(operation, commandId, input);
  }

  @FieldResolver(() => CommandCounts, { description: 'How many instances are how.' })
  counts(@Root() { counts, total }: Command): CommandCounts {
    const waiting = waitingIn(counts);
    const running = counts.IN_PROGRESS ?? 0;
    const succeeded = counts.SUCCESS ?? 0;
    const errors = errorsIn(counts);
    return {
      total,
      waiting,
      running,
      succeeded,
      errors,
      notRun: total - waiting - running - succeeded - errors,
    };
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Which mandatory policy did not let it be done when its `startAt` had come, so that it was cancelled; null else, and ' +
      'to an API key that may not read policies.',
  })
  refusal(@Root() { refusal }: Command, @Ctx() { operation }: SubgraphContext): string | null {
    return listsWithout(operation.requireViewer(), 'governance.policy.read') ? null : refusal;
  }

  @FieldResolver(() => [CommandInvocation], {
    description:
      'How it is on each instance, in the order in which they were named. `counts.total` tells how many there are. The ' +
      'next page of those in some statuses begins after the last instance of the page before, whatever its status is by ' +
      'then. ' +
      'BAD_REQUEST (RESULTS_TOO_MANY) when an operation asks for more than 50000 of them, or for more of their output ' +
      'than 40 million characters.',
  })
  async results(
    @Root() { id, total }: Command,
    @Args(() => ResultsArgs) args: ResultsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<readonly ListedResult[]> {
    return ResultsLoader.of(operation).page(id, total, args);
  }

  @FieldResolver(() => CommandInvocation, {
    nullable: true,
    description:
      'In `commandProgressed`: how it is on the instance on which it changed; null when many changed together, and ' +
      'everywhere else.',
  })
  async changed(
    @Root() { id, total, changedOn }: Command,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ListedResult | null> {
    if (!changedOn) return null;
    const [result] = await ResultsLoader.of(operation).page(id, total, { instanceId: changedOn });
    return result ?? null;
  }
}
