import { Arg, Args, Authorized, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { MaintenanceWindow, MaintenanceWindowPage } from './window.entity.js';
import { CreateMaintenanceWindowInput, UpdateMaintenanceWindowInput } from './window.inputs.js';
import { closesAt, isOpen, nextOpensAt } from './window.rules.js';
import type { MaintenanceWindowService } from './window.service.js';

@Resolver(() => MaintenanceWindow)
export class MaintenanceWindowResolver {
  constructor(private readonly windows: MaintenanceWindowService) {}

  @Authorized('fleet.window.read')
  @Query(() => MaintenanceWindowPage, { description: "The tenant's maintenance windows, newest last." })
  async maintenanceWindows(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<MaintenanceWindow>> {
    return this.windows.page(operation, args);
  }

  @Authorized('fleet.window.read')
  @Query(() => MaintenanceWindow, { description: 'One maintenance window. NOT_FOUND.' })
  async maintenanceWindow(
    @Arg('id', () => ID, { description: 'The window.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MaintenanceWindow> {
    return this.windows.get(operation, id);
  }

  @Authorized('fleet.window.manage')
  @Mutation(() => MaintenanceWindow, {
    description:
      'Makes a maintenance window, at most 100. Commands wait until their instance is in one that allows them and in ' +
      'none that denies them, or until they expire. VALIDATION_FAILED, LIMIT_REACHED (WINDOWS_LIMIT).',
  })
  async createMaintenanceWindow(
    @Arg('input', () => CreateMaintenanceWindowInput, { description: 'The window.' })
    input: CreateMaintenanceWindowInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MaintenanceWindow> {
    return this.windows.create(operation, input);
  }

  @Authorized('fleet.window.manage')
  @Mutation(() => MaintenanceWindow, {
    description:
      'Changes a maintenance window. Commands that have begun or are in the hands of a node are not called back. ' +
      'NOT_FOUND, VALIDATION_FAILED.',
  })
  async updateMaintenanceWindow(
    @Arg('input', () => UpdateMaintenanceWindowInput, { description: 'What changes.' })
    input: UpdateMaintenanceWindowInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MaintenanceWindow> {
    return this.windows.update(operation, input);
  }

  @Authorized('fleet.window.manage')
  @Mutation(() => MaintenanceWindow, { description: 'Removes a maintenance window. NOT_FOUND.' })
  async deleteMaintenanceWindow(
    @Arg('id', () => ID, { description: 'The window.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<MaintenanceWindow> {
    return this.windows.remove(operation, id);
  }

  @FieldResolver(() => Boolean, { description: 'Whether it is on now.' })
  isOpen(@Root() window: MaintenanceWindow, @Ctx() { operation }: SubgraphContext): boolean {
    return isOpen(window, operation.clock.now());
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'When it opens next, after now; null when it does so no more.',
  })
  nextOpensAt(@Root() window: MaintenanceWindow, @Ctx() { operation }: SubgraphContext): Date | null {
    return nextOpensAt(window, operation.clock.now());
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'When it is over that it is open now; null while it is not open.',
  })
  closesAt(@Root() window: MaintenanceWindow, @Ctx() { operation }: SubgraphContext): Date | null {
    return closesAt(window, operation.clock.now());
  }
}
