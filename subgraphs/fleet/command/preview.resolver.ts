import { Arg, Args, Authorized, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';

import { requireListed } from '#platform/auth/permissions.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { Instance } from '../instance/instance.entity.js';
import type { InstanceService } from '../instance/instance.service.js';
import { MaintenanceWindow } from '../maintenance/window.entity.js';
import type { HoldingWindow } from '../maintenance/window.rules.js';
import { SendCommandInput } from './command.inputs.js';
import type { CommandPreviewService } from './preview.service.js';
import {
  CommandCanary,
  CommandDelay,
  CommandPreview,
  CommandRefusal,
  CommandTarget,
  CommandTargetPage,
  CommandTargetsArgs,
} from './preview.types.js';

@Resolver(() => CommandPreview)
export class CommandPreviewResolver {
  constructor(private readonly previews: CommandPreviewService) {}

  @Authorized('fleet.command.send')
  @Query(() => CommandPreview, {
    description:
      'What would become of a command if it were sent now: whom it is for, who is offline, which mandatory policies refuse ' +
      'it where, and which maintenance windows hold it back until when, as they are at its `startAt`. It is judged as `sendCommand` judges it, and ' +
      'nothing is sent or kept; `idempotencyKey` has no part in it. A command to instances that are offline is kept for ' +
      'them until it expires. Plans have no limit of commands. VALIDATION_FAILED, as of `sendCommand`.',
  })
  async previewCommand(
    @Arg('input', () => SendCommandInput, { description: 'The command and who it would be for.' })
    input: SendCommandInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<CommandPreview> {
    return this.previews.preview(operation, input);
  }

  @FieldResolver(() => CommandTargetPage, {
    description:
      'The instances, in the order in which they were named, then in which they enrolled. BAD_REQUEST when the instance ' +
      'that `after` stands for is no longer among them; FORBIDDEN when an API key that may not read policies asks for ' +
      '`isRefused`.',
  })
  instances(
    @Root() preview: CommandPreview,
    @Args(() => CommandTargetsArgs) args: CommandTargetsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Page<CommandTarget> {
    return this.previews.page(operation, preview, args);
  }

  @FieldResolver(() => [CommandCanary], {
    nullable: true,
    description:
      'The canaries under way that some of the instances are in, at most 100: a command to those may spoil what they ' +
      'compare. It is not refused. Null while governance cannot be asked; null, with an error, without the right to see ' +
      'canaries.',
  })
  canaries(
    @Root() { canaries }: CommandPreview,
    @Ctx() { operation }: SubgraphContext,
  ): readonly CommandCanary[] | null {
    requireListed(operation.requireViewer(), 'governance.canary.read');
    return canaries;
  }
}

@Resolver(() => CommandDelay)
export class CommandDelayResolver {
  @Authorized('fleet.window.read')
  @FieldResolver(() => [MaintenanceWindow], {
    nullable: true,
    description:
      'The open ones that deny; or, where none does, all that allow, of which none is open. Null, with an error, without ' +
      'the right to see windows.',
  })
  windows(@Root() { windows }: CommandDelay): readonly HoldingWindow[] {
    return windows;
  }
}

const instanceOfPreview =
  'The instance; null when it has just left the fleet, and, with an error, without the right to see instances.';

@Resolver(() => CommandRefusal)
export class CommandRefusalResolver {
  constructor(private readonly instances: InstanceService) {}

  @Authorized('fleet.instance.read')
  @FieldResolver(() => Instance, { nullable: true, description: instanceOfPreview })
  async instance(
    @Root() { instanceId }: CommandRefusal,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance | null> {
    return this.instances.find(operation, instanceId);
  }
}

@Resolver(() => CommandTarget)
export class CommandTargetResolver {
  constructor(private readonly instances: InstanceService) {}

  @Authorized('fleet.instance.read')
  @FieldResolver(() => Instance, { nullable: true, description: instanceOfPreview })
  async instance(
    @Root() { instanceId }: CommandTarget,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance | null> {
    return this.instances.find(operation, instanceId);
  }
}
