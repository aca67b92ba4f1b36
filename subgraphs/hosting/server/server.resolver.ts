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
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { eventSource } from '#platform/subgraph/subscription.js';

import type { ProvisionService } from '../provision/provision.service.js';
import { InstanceReference } from './instance.reference.js';
import { Server, ServerPage } from './server.entity.js';
import { DecommissionServerInput, ProvisionServerInput, ServerFilter } from './server.inputs.js';
import { ServerPhase, ServerStatus, statusOf } from './server.phases.js';
import type { ServerService } from './server.service.js';
import { ServerStep, toStep } from './server.steps.js';

@ArgsType()
class ServersArgs extends PageArgs {
  @Field(() => ServerFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: ServerFilter | null;
}

@ArgsType()
class ServerChangedArgs {
  @Field(() => ID, { nullable: true, description: 'Only this server.' })
  serverId?: string | null;
}

@ArgsType()
class ProtectServerArgs {
  @Field(() => ID, { description: 'The server.' })
  id!: string;

  @Field(() => Boolean, { description: 'Whether it is protected from now on.' })
  isProtected!: boolean;
}

const permission = 'hosting.server.read';

@Resolver(() => Server)
export class ServerResolver {
  constructor(
    private readonly servers: ServerService,
    private readonly provisions: ProvisionService,
  ) {}

  @Authorized(permission)
  @Query(() => ServerPage, {
    name: 'servers',
    description: "The tenant's servers, in the order in which they were asked for.",
  })
  async list(
    @Args(() => ServersArgs) args: ServersArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Server>> {
    return this.servers.page(operation, args, args.filter ?? {});
  }

  @Authorized(permission)
  @Query(() => Server, { description: 'One server, deleted ones included. NOT_FOUND.' })
  async server(
    @Arg('id', () => ID, { description: 'The server.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server> {
    return this.servers.get(operation, id);
  }

  @Authorized('hosting.server.provision')
  @Mutation(() => Server, {
    description:
      'Asks for a server. It is `PROVISIONING` then; `serverChanged` tells how it goes on. With Cloud OS it keeps a place ' +
      "under the plan's limit until its node has enrolled. VALIDATION_FAILED names an unknown provider, region or size and a " +
      'name that can not be; CONFLICT (PROVIDER_NOT_CONNECTED), (TOKEN_REFUSED), (SOLD_OUT) with alternatives, (NAME_TAKEN), ' +
      '(BUDGET_EXCEEDED), (PAYMENT_OVERDUE), (POLICY_VIOLATION) with the policy and its evidence, (INSTALLER_UNSET) while the ' +
      'panel has nothing that installs Cloud OS; LIMIT_REACHED (INSTANCES_LIMIT, STORAGE_LIMIT) when the plan ' +
      'allows no more instances or less storage than is in use. Safe to repeat under a key.',
  })
  async provisionServer(
    @Arg('input', () => ProvisionServerInput, { description: 'The server.' }) input: ProvisionServerInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server> {
    return this.provisions.provision(operation, input);
  }

  @Authorized('hosting.server.decommission')
  @Mutation(() => Server, {
    description:
      'Begins to take a server down: commands under way on its node may end, the provider deletes it, and its node leaves ' +
      'the fleet, with its credential and its licence. What else was attached to it at the provider stays there (`leftovers`). Safe to ' +
      'repeat: one whose deletion is delayed is tried anew at once. NOT_FOUND, CONFLICT (SERVER_PROTECTED).',
  })
  async decommissionServer(
    @Arg('input', () => DecommissionServerInput, { description: 'The server.' })
    input: DecommissionServerInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server> {
    return this.provisions.decommission(operation, input);
  }

  @Authorized('hosting.server.protect')
  @Mutation(() => Server, {
    description:
      'Protects a server from being decommissioned, or takes that off. One that is `DRAINING` is `READY` again: its end is ' +
      'called off. Safe to repeat. NOT_FOUND, CONFLICT (SERVER_DELETED) once it is on its way out.',
  })
  async protectServer(
    @Args(() => ProtectServerArgs) { id, isProtected }: ProtectServerArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server> {
    return this.servers.protect(operation, id, isProtected);
  }

  @Authorized(permission)
  @Subscription(() => Server, {
    subscribe: eventSource<ServerChangedArgs>(permission, ({ serverId }) => ({
      topics: ['hosting.server.changed'],
      matches: ({ entityId }) => serverId == null || entityId === serverId,
    })),
    description:
      'A server is new, went from one phase to another, or changed in it. Resumes as `instanceChanged` does.',
  })
  async serverChanged(
    @Args(() => ServerChangedArgs) _args: ServerChangedArgs,
    @Root() { payload }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server> {
    return this.servers.get(operation, payload.entityId);
  }

  @FieldResolver(() => ServerStatus, { description: 'How it is, in one word.' })
  status(@Root() { phase }: Server): ServerStatus {
    return statusOf(phase);
  }

  @FieldResolver(() => [ServerStep], {
    description: 'The phases that it has come to and when, oldest first; the last fifty.',
  })
  steps(@Root() { steps }: Server): ServerStep[] {
    return steps.map(toStep);
  }

  @FieldResolver(() => InstanceReference, {
    nullable: true,
    description:
      'Its node; null before it has enrolled, and once it is `DELETING`, when it leaves the fleet.',
  })
  instance(@Root() { instanceId, phase }: Server): InstanceReference | null {
    // It leaves the fleet a moment before that is known here.
    const isLeaving = phase === ServerPhase.DELETING;
    return instanceId === null || isLeaving ? null : { id: instanceId };
  }
}

@Resolver(() => InstanceReference)
export class InstanceServerResolver {
  constructor(private readonly servers: ServerService) {}

  @Authorized(permission)
  @FieldResolver(() => Server, {
    nullable: true,
    description: 'The server that it runs on; null when it was not provisioned here.',
  })
  async server(
    @Root() { id }: InstanceReference,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Server | null> {
    return this.servers.ofInstance(operation, id);
  }
}
