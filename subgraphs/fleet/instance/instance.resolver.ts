import type { GraphQLResolveInfo } from 'graphql';
import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Extensions,
  Field,
  FieldResolver,
  Float,
  ID,
  Info,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';
import { selectedFields } from '#platform/subgraph/selected-fields.js';

import { InstanceMetrics } from '../metrics/instance-metrics.js';
import { rounded } from '../reported/figures.js';
import { TenantReference } from '../tenant/tenant.reference.js';
import { Instance } from './instance.entity.js';
import { InstanceFilter, InstancePage } from './instance.inputs.js';
import type { InstanceService } from './instance.service.js';
import { InstanceStatus, statusOf, StatusReason } from './instance.status.js';
import type { ListedInstance } from './listed-columns.js';

@ArgsType()
class InstancesArgs extends PageArgs {
  @Field(() => InstanceFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: InstanceFilter | null;
}

@Resolver(() => Instance)
export class InstanceResolver {
  constructor(private readonly service: InstanceService) {}

  @Authorized('fleet.instance.read')
  @Query(() => InstancePage, { description: "The tenant's instances, in the order they enrolled." })
  async instances(
    @Args(() => InstancesArgs) { filter, ...page }: InstancesArgs,
    @Ctx() { operation }: SubgraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Page<ListedInstance>> {
    return this.service.page(operation, page, filter, selectedFields(info, ['nodes']));
  }

  @Authorized('fleet.instance.read')
  @Query(() => Instance, { description: 'One instance. NOT_FOUND.' })
  async instance(
    @Arg('id', () => ID, { description: 'The instance.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Instance> {
    return this.service.get(operation, id);
  }

  @Authorized('fleet.instance.read')
  @Query(() => InstanceMetrics, { description: 'What the newest beat of one instance measured. NOT_FOUND.' })
  async instanceMetrics(
    @Arg('instanceId', () => ID, { description: 'The instance.' }) instanceId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<InstanceMetrics> {
    return InstanceMetrics.of(await this.service.get(operation, instanceId));
  }

  @Extensions({ atHand: 'statusNow' satisfies keyof ListedInstance })
  @FieldResolver(() => InstanceStatus, { description: 'How it is now.' })
  status(@Root() instance: ListedInstance, @Ctx() { operation }: SubgraphContext): InstanceStatus {
    return statusOf(instance, this.service.silence(operation)).status;
  }

  @FieldResolver(() => [StatusReason], { description: 'Why it is degraded or offline; empty when healthy.' })
  statusReasons(@Root() instance: ListedInstance, @Ctx() { operation }: SubgraphContext): StatusReason[] {
    return statusOf(instance, this.service.silence(operation)).reasons;
  }

  @FieldResolver(() => InstanceMetrics, { description: 'What its newest beat measured.' })
  metrics(@Root() instance: ListedInstance): InstanceMetrics {
    return InstanceMetrics.of(instance);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: "Seconds that the node's clock is ahead of the panel's, with one decimal.",
  })
  clockSkewSeconds(@Root() { clockSkewSeconds }: ListedInstance): number | null {
    return clockSkewSeconds === null ? null : rounded(clockSkewSeconds, 1);
  }

  @FieldResolver(() => JsonObject, {
    description:
      'What it reports of itself beside measurements, as it came: `{"backup": {"encryption": true}}`. Policies are about it; ' +
      '`factKinds` says what they know of. Empty before its first report.',
  })
  async facts(
    @Root() { id }: ListedInstance,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Record<string, unknown>> {
    return (await this.service.reported(operation, id)).facts;
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'When it last reported facts, changed or not; null when it never did, or not since this is kept.',
  })
  async factsReportedAt(
    @Root() { id }: ListedInstance,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Date | null> {
    const { reportedAt } = await this.service.reported(operation, id);
    return reportedAt && new Date(reportedAt);
  }

  @FieldResolver(() => TenantReference, { description: 'The tenant that it belongs to.' })
  tenant(@Root() instance: ListedInstance): TenantReference {
    return { id: instance.tenantId };
  }
}
