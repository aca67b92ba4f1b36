import { Admission, admissionPermissions } from '#platform/admission/admission.js';
import type { AreaContext, RunningArea } from '#platform/area.js';
import type { EntityClass } from '#platform/database/database.js';
import { entitlementConsumer } from '#platform/entitlement/entitlement.consumer.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';
import { idempotencySweep } from '#platform/idempotency/expired-keys.job.js';
import { buildSubgraph, type Reference } from '#platform/subgraph/build.js';

import { alertEntities, createAlerts } from './alert/alerts.js';
import { endedGrantsConsumer, reclaimedAccountsConsumer } from './alert/notification/ended-grants.job.js';
import { governanceNews } from './alert/notification/governance-news.job.js';
import { policyViolations } from './alert/policy-violation.job.js';
import { brandingConsumer } from './branding/branding.job.js';
import { commandRetentionSweep, commandTimeoutsSweep } from './command/command-timeouts.job.js';
import { Command } from './command/command.entity.js';
import { CommandResolver } from './command/command.resolver.js';
import { CommandService } from './command/command.service.js';
import { CommandSubscriptions } from './command/command.subscriptions.js';
import { DeliveryService } from './command/delivery.service.js';
import { CommandInvocation } from './command/invocation.entity.js';
import { InvocationResolver } from './command/invocation.resolver.js';
import { mandatoryPolicies } from './command/mandatory-policies.job.js';
import { PendingCommands } from './command/pending-commands.job.js';
import { beginJob, plannedCommandsSweep } from './command/planned.job.js';
import {
  CommandDelayResolver,
  CommandPreviewResolver,
  CommandRefusalResolver,
  CommandTargetResolver,
} from './command/preview.resolver.js';
import { CommandPreviewService } from './command/preview.service.js';
import { CredentialService } from './enrollment/credential.service.js';
import { endedMakersConsumer, endedMakersSweep } from './enrollment/ended-makers.job.js';
import { EnrollmentToken } from './enrollment/enrollment-token.entity.js';
import { EnrollmentResolver } from './enrollment/enrollment.resolver.js';
import { EnrollmentService } from './enrollment/enrollment.service.js';
import type { FleetEnv } from './env.js';
import { InstanceGroup } from './group/group.entity.js';
import { GroupResolver } from './group/group.resolver.js';
import { GroupService } from './group/group.service.js';
import { GatewayCalls } from './hearing/gateway-calls.js';
import { HearingStore } from './hearing/hearing-store.job.js';
import { Hearing, whileHearing } from './hearing/hearing.js';
import { patienceFor } from './hearing/hearing.rules.js';
import { restoredTenants } from './hearing/suspension.job.js';
import { HeartbeatResolver } from './heartbeat/heartbeat.resolver.js';
import { HeartbeatService } from './heartbeat/heartbeat.service.js';
import { HeartbeatIngest } from './heartbeat/ingest.job.js';
import { versionBaselineSweep } from './heartbeat/version-baseline.job.js';
import { ImpersonationTokens } from './impersonation/impersonation-tokens.js';
import { ImpersonationResolver } from './impersonation/impersonation.resolver.js';
import { ImpersonationService } from './impersonation/impersonation.service.js';
import { redemptionsSweep } from './impersonation/redemptions.job.js';
import { expirySweep } from './instance/instance-expiry.job.js';
import { InstanceScoreReference } from './instance/instance-score.reference.js';
import { InstanceScoreResolver } from './instance/instance-score.resolver.js';
import { Instance } from './instance/instance.entity.js';
import { InstanceResolver } from './instance/instance.resolver.js';
import { InstanceService } from './instance/instance.service.js';
import { InstanceSubscriptions } from './instance/instance.subscriptions.js';
import { DepartureService } from './lifecycle/departure.service.js';
import { FormerInstance } from './lifecycle/former-instance.entity.js';
import { LifecycleResolver } from './lifecycle/lifecycle.resolver.js';
import { LifecycleService } from './lifecycle/lifecycle.service.js';
import { PendingRotations } from './lifecycle/pending-rotations.job.js';
import { ReenrollmentService } from './lifecycle/reenrollment.service.js';
import { lifecycleRetentionSweep } from './lifecycle/revoked-credentials.job.js';
import { RotationService } from './lifecycle/rotation.service.js';
import { MaintenanceWindow } from './maintenance/window.entity.js';
import { MaintenanceWindowResolver } from './maintenance/window.resolver.js';
import { MaintenanceWindowService } from './maintenance/window.service.js';
import { MetricsHistoryResolver } from './metrics/metrics-history.resolver.js';
import { MetricsHistoryService } from './metrics/metrics-history.service.js';
import { MetricsRelay } from './metrics/metrics-relay.job.js';
import { MetricsSampleResolver } from './metrics/metrics-sample.resolver.js';
import { partitionSweep, retentionSweep, rollupSweep } from './metrics/metrics.job.js';
import { policyMetricsSweep } from './metrics/policy-metrics.job.js';
import { fleetPermissions } from './permissions.js';
import { clientHealthSweep } from './summary/client-health.job.js';
import { countFoldSweep } from './summary/instance-count.job.js';
import { SummaryResolver } from './summary/summary.resolver.js';
import { SummaryService } from './summary/summary.service.js';
import { TenantReferenceResolver } from './tenant/tenant.resolver.js';
import { advanceFleet } from './test-clock/test-clock.job.js';
import { fleetUsageSweep } from './usage/usage.job.js';
import {
  BillingSubscriptionReference,
  NodeUsageReference,
  StorageUsageReference,
} from './usage/usage.reference.js';
import { NodeUseResolver, StorageUseResolver, SubscriptionUseResolver } from './usage/usage.resolver.js';

/** What a tenant uses is shown to itself. */
const ownUse: Reference<{ tenantId: string }>['resolve'] = ({ tenantId }, { operation }) =>
  tenantId === operation.tenantId ? { tenantId } : null;

export const fleetEntities: readonly EntityClass[] = [
  Instance,
  EnrollmentToken,
  Command,
  CommandInvocation,
  FormerInstance,
  InstanceGroup,
  MaintenanceWindow,
  ...alertEntities,
];

/** The fleet subgraph, wired by hand. */
export function createFleet(context: AreaContext<FleetEnv>): RunningArea {
  const { database, keyring, clock, logger, publicUrl, streams, tail, verifier, settings: env } = context;
  const entitlements = new Entitlements('fleet');
  const credentials = new CredentialService(keyring, publicUrl);
  const heartbeatSeconds = env.HEARTBEAT_SECONDS;
  const patience = patienceFor(heartbeatSeconds);
  const gateways = context.isBehindGateways ? new GatewayCalls(patience.toleranceMs) : undefined;
  const hearing = new Hearing({
    store: new HearingStore(database, patience),
    patience,
    clock,
    logger,
    ...(gateways ? { isReached: gateways.isRecent } : {}),
  });
  const summaries = new SummaryService(hearing);
  const instances = new InstanceService(summaries, hearing);
  const isSuspended = (tenantId: string) => verifier.isSuspended(tenantId);
  const suspension = { isSuspended, deadlineMs: patience.deadlineMs };
  const alerts = createAlerts({ ...context, env, instances, isSuspended });
  const admission = new Admission(context.asService(admissionPermissions));
  const commands = new CommandService(admission);
  const deliveries = new DeliveryService(env.COMMAND_LEASE_SECONDS);
  const pending = new PendingCommands(database, tail, deliveries);
  const rotations = new RotationService(credentials);
  const pendingRotations = new PendingRotations(database, tail, rotations);
  const heartbeats = new HeartbeatService({
    pendingCommands: (operation) => pending.of(operation),
    offeredCredential: (operation) => pendingRotations.of(operation),
    promoteCredential: (operation) => rotations.promote(operation),
    hearing,
    logger,
    credentials,
    ingest: new HeartbeatIngest(database, clock, heartbeatSeconds, new MetricsRelay(database, logger)),
    heartbeatSeconds,
    queueLimit: env.HEARTBEAT_QUEUE,
    metrics: context.metrics,
  });
  return {
    consumers: [
      entitlementConsumer('fleet'),
      brandingConsumer,
      endedMakersConsumer,
      endedGrantsConsumer,
      reclaimedAccountsConsumer,
      advanceFleet,
      mandatoryPolicies,
      policyViolations,
      governanceNews(isSuspended),
      restoredTenants(patience.deadlineMs),
    ],
    sweeps: [
      whileHearing(hearing, expirySweep(suspension)),
      countFoldSweep,
      clientHealthSweep,
      fleetUsageSweep,
      versionBaselineSweep,
      rollupSweep(heartbeatSeconds, logger),
      policyMetricsSweep,
      partitionSweep,
      retentionSweep,
      commandTimeoutsSweep(suspension),
      commandRetentionSweep,
      plannedCommandsSweep,
      idempotencySweep('fleet'),
      redemptionsSweep,
      lifecycleRetentionSweep,
      endedMakersSweep,
      ...alerts.sweeps,
    ],
    jobs: [...alerts.jobs, beginJob(admission)],
    routers: [...alerts.routers, ...(gateways ? [gateways.router(hearing)] : [])],
    // The events so far have been read: it begins to follow its own.
    start: async () => {
      await Promise.all([pending.start(), pendingRotations.start(), hearing.start()]);
    },
    // Takes no more beats, and stores those that wait.
    stop: async () => {
      pending.stop();
      pendingRotations.stop();
      await heartbeats.stop();
      await hearing.stop();
    },
    build: () =>
      buildSubgraph({
        name: 'fleet',
        database,
        clock,
        verifier,
        permissions: fleetPermissions,
        streams,
        resolvers: [
          new InstanceResolver(instances),
          new InstanceSubscriptions(instances, summaries),
          new InstanceScoreResolver(instances),
          new SummaryResolver(summaries),
          new EnrollmentResolver(new EnrollmentService(credentials, entitlements, heartbeatSeconds)),
          new HeartbeatResolver(heartbeats, context.metrics),
          new GroupResolver(new GroupService(), instances),
          new MaintenanceWindowResolver(new MaintenanceWindowService()),
          new LifecycleResolver(
            new LifecycleService(entitlements),
            rotations,
            new ReenrollmentService(),
            new DepartureService(),
          ),
          new ImpersonationResolver(
            new ImpersonationService(instances, new ImpersonationTokens(keyring, publicUrl), verifier),
          ),
          new CommandResolver(commands, deliveries),
          new CommandPreviewResolver(new CommandPreviewService(admission, instances)),
          new CommandRefusalResolver(instances),
          new CommandTargetResolver(instances),
          new CommandDelayResolver(),
          new InvocationResolver(instances),
          new CommandSubscriptions(commands, pending),
          new MetricsSampleResolver(instances),
          new MetricsHistoryResolver(new MetricsHistoryService(instances, heartbeatSeconds)),
          new TenantReferenceResolver(summaries, entitlements),
          new SubscriptionUseResolver(summaries),
          new NodeUseResolver(summaries),
          new StorageUseResolver(),
          ...alerts.resolvers,
        ],
        orphanedTypes: [
          BillingSubscriptionReference,
          InstanceScoreReference,
          NodeUsageReference,
          StorageUsageReference,
        ],
        references: {
          Instance: {
            permission: 'fleet.instance.read',
            resolve: ({ id }: { id: string }, { operation }) => instances.find(operation, id),
          },
          Tenant: {
            permission: null,
            resolve: ({ id }: { id: string }, { operation }) => (id === operation.tenantId ? { id } : null),
          },
          InstanceScore: {
            permission: null,
            resolve: async ({ instanceId }: { instanceId: string }, { operation }) =>
              (await instances.find(operation, instanceId)) ? { instanceId } : null,
          },
          BillingSubscription: { permission: null, resolve: ownUse },
          NodeUsage: { permission: null, resolve: ownUse },
          StorageUsage: { permission: null, resolve: ownUse },
          Alert: {
            permission: 'fleet.alert.read',
            resolve: ({ id }: { id: string }, { operation }) => alerts.service.find(operation, id),
          },
        },
      }),
  };
}
