import { Args, ArgsType, Authorized, Ctx, Field, ID, Resolver, Root, Subscription } from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { eventSource } from '#platform/subgraph/subscription.js';
import type { CommandOffered, CommandProgressed } from '#schema/events.js';

import { Command } from './command.entity.js';
import type { CommandService } from './command.service.js';
import { NodeCommand } from './node-command.js';
import type { PendingCommands } from './pending-commands.job.js';

@ArgsType()
class CommandProgressedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this command.' })
  commandId?: string | null;
}

@Resolver()
export class CommandSubscriptions {
  constructor(
    private readonly commands: CommandService,
    private readonly pending: PendingCommands,
  ) {}

  @Authorized('fleet.command.read')
  @Subscription(() => Command, {
    subscribe: eventSource<CommandProgressedArgs>('fleet.command.read', ({ commandId }) => ({
      topics: ['fleet.command.progressed'],
      matches: ({ entityId }) => commandId == null || entityId === commandId,
    })),
    description:
      'A command was sent, or something of it changed on an instance: `changed` tells which. Resumes as ' +
      '`instanceChanged` does.',
  })
  async commandProgressed(
    @Args(() => CommandProgressedArgs) _args: CommandProgressedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Command> {
    const { instanceId } = payload.payload as unknown as CommandProgressed;
    return Object.assign(await this.commands.get(operation, payload.entityId), { changedOn: instanceId });
  }

  @Authorized('fleet.command.receive')
  @Subscription(() => [NodeCommand], {
    subscribe: eventSource('fleet.command.receive', (_args, operation) => {
      const { instanceId } = operation.requireNode();
      return {
        topics: ['fleet.command.offered'],
        matches: ({ payload }) => (payload as unknown as CommandOffered).instanceIds.includes(instanceId),
      };
    }),
    description:
      'What the calling node is to do, as soon as there is something; empty when it had it by a beat already. A beat ' +
      'after subscribing brings what was waiting before.',
  })
  async commandsFor(@Ctx() { operation }: SubgraphContext): Promise<NodeCommand[]> {
    return this.pending.of(operation);
  }
}
