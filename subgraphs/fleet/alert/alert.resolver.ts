import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { Instance } from '../instance/instance.entity.js';
import type { InstanceService } from '../instance/instance.service.js';
import { InstanceStatus, statusOf } from '../instance/instance.status.js';
import { ActiveAlertsLoader } from './active-alerts.loader.js';
import { Alert, AlertPage } from './alert.entity.js';
import { fingerprintOf } from './alert.fingerprint.js';
import { AcknowledgeAlertsInput, AlertFilter } from './alert.inputs.js';
import { AlertPhase } from './alert.kinds.js';
import { phaseOf } from './alert.phase.js';
import type { AlertService } from './alert.service.js';

@ArgsType()
class AlertsArgs extends PageArgs {
  @Field(() => AlertFilter, { nullable: true, description: 'Narrows the list; active alerts unless told.' })
  filter?: AlertFilter | null;
}

@ObjectType({ description: 'Alerts that were taken up together.' })
class AcknowledgeAlertsPayload {
  @Field(() => [Alert], {
    description:
      'As they are now: those that were named, in that order, also where they were not firing; or those that were found, newest first.',
  })
  alerts!: Alert[];

  @Field(() => Boolean, {
    description: 'Whether more than 500 were found by the filter: ask again for the others.',
  })
  hasMore!: boolean;
}

const idArg = { description: 'The alert.' };

@Resolver(() => Alert)
export class AlertResolver {
  constructor(
    private readonly alerts: AlertService,
    private readonly instances: InstanceService,
  ) {}

  @Authorized('fleet.alert.read')
  @Query(() => AlertPage, { name: 'alerts', description: "The tenant's alerts, newest first." })
  async list(
    @Args(() => AlertsArgs) { filter, ...page }: AlertsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Alert>> {
    return this.alerts.page(operation, page, filter);
  }

  @Authorized('fleet.alert.read')
  @Query(() => Alert, { description: 'One alert. NOT_FOUND.' })
  async alert(@Arg('id', () => ID, idArg) id: string, @Ctx() { operation }: SubgraphContext): Promise<Alert> {
    return this.alerts.get(operation, id);
  }

  @Authorized('fleet.alert.acknowledge')
  @Mutation(() => Alert, {
    description:
      'Takes an alert up. It stays acknowledged until it resolves; the same condition then raises a new alert. Safe to ' +
      'repeat. NOT_FOUND, CONFLICT (ALERT_PENDING, ALERT_RESOLVED).',
  })
  async acknowledgeAlert(
    @Arg('id', () => ID, idArg) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Alert> {
    return this.alerts.acknowledge(operation, id);
  }

  @Authorized('fleet.alert.acknowledge')
  @Mutation(() => AcknowledgeAlertsPayload, {
    description:
      'Takes up many alerts at once, at most 500, in one request: those of them that fire. Whatever is pending, acknowledged ' +
      'or resolved by then stays as it is, so that it is safe to repeat. VALIDATION_FAILED, also for an id that is none of ' +
      "the tenant's, by its place in the list; then nothing is done.",
  })
  async acknowledgeAlerts(
    @Arg('input', () => AcknowledgeAlertsInput, { description: 'Which, and what others are to read of it.' })
    input: AcknowledgeAlertsInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AcknowledgeAlertsPayload> {
    return this.alerts.acknowledgeAll(operation, input);
  }

  @Authorized('fleet.alert.resolve')
  @Mutation(() => Alert, {
    description:
      'Ends an alert by hand. If the next beat still finds the condition, a new alert begins; an outage that goes on ' +
      'raises none. Safe to repeat. NOT_FOUND, CONFLICT (ALERT_PENDING).',
  })
  async resolveAlert(
    @Arg('id', () => ID, idArg) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Alert> {
    return this.alerts.resolve(operation, id);
  }

  @Authorized('fleet.instance.read')
  @FieldResolver(() => Instance, {
    nullable: true,
    description:
      'The instance it is about; null when it was removed, and, with an error, without the right to see instances.',
  })
  async instance(@Root() alert: Alert, @Ctx() { operation }: SubgraphContext): Promise<Instance | null> {
    return this.instances.find(operation, alert.instanceId);
  }

  @FieldResolver(() => String, {
    description: "The instance's name; that of when the alert began if it was removed.",
  })
  async instanceName(@Root() alert: Alert, @Ctx() { operation }: SubgraphContext): Promise<string> {
    return (await this.instances.find(operation, alert.instanceId))?.name ?? alert.instanceName;
  }

  @FieldResolver(() => AlertPhase, { description: 'What is known of its condition just now.' })
  async phase(@Root() alert: Alert, @Ctx() { operation }: SubgraphContext): Promise<AlertPhase> {
    const instance = await this.instances.find(operation, alert.instanceId);
    const silence = this.instances.silence(operation);
    return phaseOf(alert, instance !== null && statusOf(instance, silence).status === InstanceStatus.OFFLINE);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The component, for COMPONENT_UNHEALTHY; the kind of command, for COMMAND_FAILED; the id of the policy, for ' +
      'POLICY_VIOLATION; else null.',
  })
  component(@Root() alert: Alert): string | null {
    return alert.component || null;
  }

  @FieldResolver(() => String, {
    description: 'The same for every alert about the same condition of the same instance, to group them by.',
  })
  fingerprint(@Root() alert: Alert): string {
    return fingerprintOf(alert);
  }

  @FieldResolver(() => Alert, {
    nullable: true,
    description: 'The outage of its node, while that goes on: channels are told of the outage only.',
  })
  async inhibitedBy(@Root() alert: Alert, @Ctx() { operation }: SubgraphContext): Promise<Alert | null> {
    return this.alerts.inhibitorOf(operation, alert);
  }
}

@Resolver(() => Instance)
export class InstanceAlertsResolver {
  @Authorized('fleet.alert.read')
  @FieldResolver(() => [Alert], {
    description:
      'Its active alerts, newest first; all of them. BAD_REQUEST (ALERTS_TOO_MANY) when an operation asks for more than ' +
      '20000 altogether: ask for fewer instances at once.',
  })
  async activeAlerts(@Root() { id }: Instance, @Ctx() { operation }: SubgraphContext): Promise<Alert[]> {
    return ActiveAlertsLoader.of(operation).of(id);
  }

  @Authorized('fleet.alert.read')
  @FieldResolver(() => Int, { description: 'How many active alerts it has.' })
  async activeAlertCount(@Root() { id }: Instance, @Ctx() { operation }: SubgraphContext): Promise<number> {
    return ActiveAlertsLoader.of(operation).countOf(id);
  }
}
