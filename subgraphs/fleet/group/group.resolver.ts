import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { InstancePage } from '../instance/instance.inputs.js';
import type { InstanceService } from '../instance/instance.service.js';
import type { ListedInstance } from '../instance/listed-columns.js';
import { InstanceGroup, InstanceGroupPage } from './group.entity.js';
import { CreateInstanceGroupInput, UpdateInstanceGroupInput } from './group.inputs.js';
import type { GroupService } from './group.service.js';

@Resolver(() => InstanceGroup)
export class GroupResolver {
  constructor(
    private readonly groups: GroupService,
    private readonly service: InstanceService,
  ) {}

  @Authorized('fleet.group.read')
  @Query(() => InstanceGroupPage, { description: "The tenant's groups, newest last." })
  async instanceGroups(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<InstanceGroup>> {
    return this.groups.page(operation, args);
  }

  @Authorized('fleet.group.read')
  @Query(() => InstanceGroup, { description: 'One group. NOT_FOUND.' })
  async instanceGroup(
    @Arg('id', () => ID, { description: 'The group.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceGroup> {
    return this.groups.get(operation, id);
  }

  @Authorized('fleet.group.manage')
  @Mutation(() => InstanceGroup, {
    description:
      'Makes a group. CONFLICT (NAME_TAKEN), VALIDATION_FAILED, LIMIT_REACHED (GROUPS_LIMIT) at 200.',
  })
  async createInstanceGroup(
    @Arg('input', () => CreateInstanceGroupInput, { description: 'The group.' })
    input: CreateInstanceGroupInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceGroup> {
    return this.groups.create(operation, input);
  }

  @Authorized('fleet.group.manage')
  @Mutation(() => InstanceGroup, {
    description: 'Changes a group. NOT_FOUND, CONFLICT (NAME_TAKEN), VALIDATION_FAILED.',
  })
  async updateInstanceGroup(
    @Arg('input', () => UpdateInstanceGroupInput, { description: 'What changes.' })
    input: UpdateInstanceGroupInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceGroup> {
    return this.groups.update(operation, input);
  }

  @Authorized('fleet.group.manage')
  @Mutation(() => InstanceGroup, {
    description:
      'Removes a group, its maintenance windows and its overrides of alert rules; its instances stay, and alerts of theirs ' +
      'follow the rules that are left from their next beat on. NOT_FOUND.',
  })
  async deleteInstanceGroup(
    @Arg('id', () => ID, { description: 'The group.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceGroup> {
    return this.groups.remove(operation, id);
  }

  @Authorized('fleet.instance.read')
  @FieldResolver(() => InstancePage, {
    description:
      'Who is in it now, in the order they enrolled, for whoever may see instances. BAD_REQUEST (INSTANCES_TOO_MANY) when an operation asks for more than ' +
      '20000 of them.',
  })
  async instances(
    @Root() group: InstanceGroup,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<ListedInstance>> {
    return this.service.members(operation, args, group);
  }
}
