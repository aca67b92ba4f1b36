import { admissionPermissions, Admission } from '#platform/admission/admission.js';
import { mandatoryPoliciesConsumer } from '#platform/admission/mandatory-policies.consumer.js';
import type { AreaContext, RunningArea } from '#platform/area.js';
import type { EntityClass } from '#platform/database/database.js';
import { endedGrantsSweep } from '#platform/grant/grants.js';
import { idempotencySweep } from '#platform/idempotency/expired-keys.job.js';
import { buildSubgraph } from '#platform/subgraph/build.js';

import { ByIdLoader } from './by-id.loader.js';
import { CatalogueResolver } from './catalogue/catalogue.resolver.js';
import { CatalogueService } from './catalogue/catalogue.service.js';
import { Cluster } from './cluster/cluster.entity.js';
import { createKubernetes } from './cluster/kubernetes.js';
import { CostResolver } from './cost/cost.resolver.js';
import { CostService } from './cost/cost.service.js';
import { Deployment } from './deployment/deployment.entity.js';
import type { HostingEnv } from './env.js';
import { createHighAvailability } from './ha/high-availability.js';
import { hostingPermissions } from './permissions.js';
import { Placement } from './placement/placement.entity.js';
import { PlacementTarget } from './placement/target.entity.js';
import { ProviderAccount } from './provider/account.entity.js';
import { Accounts } from './provider/accounts.service.js';
import { createDrivers } from './provider/drivers.js';
import {
  accountGrantsRunOutSweep,
  endedAccountGrants,
  reclaimedAccounts,
} from './provider/ended-grants.job.js';
import { ProviderResolver } from './provider/provider.resolver.js';
import { advanceJob } from './provision/advance.job.js';
import { accountsDueSweep, accountsReconcileSweep, serversDueSweep } from './provision/due.job.js';
import { FleetCalls, fleetPermissionsNeeded } from './provision/fleet-calls.js';
import { followNodes } from './provision/nodes.job.js';
import { pollJob } from './provision/poll.job.js';
import { ProvisionService } from './provision/provision.service.js';
import { reconcileJob } from './provision/reconcile.job.js';
import { DeploymentRevision } from './revision/revision.entity.js';
import { historyRetentionSweep } from './server/history-retention.job.js';
import { InstanceReference } from './server/instance.reference.js';
import { Server } from './server/server.entity.js';
import { InstanceServerResolver, ServerResolver } from './server/server.resolver.js';
import { ServerService } from './server/server.service.js';
import { advanceHosting } from './test-clock/test-clock.job.js';

export const hostingEntities: readonly EntityClass[] = [
  ProviderAccount,
  Server,
  Cluster,
  Deployment,
  DeploymentRevision,
  Placement,
  PlacementTarget,
];

/** The hosting subgraph, wired by hand. */
export function createHosting(context: AreaContext<HostingEnv>): RunningArea {
  const { database, clock, logger, keyring, publicUrl, settings } = context;
  const drivers = createDrivers(settings);
  for (const { name, isSandbox } of drivers.values())
    if (isSandbox) logger.info(`a stand-in is in the place of ${name}: servers there are not real`);
  const accounts = new Accounts(drivers, keyring, publicUrl);
  const fleet = new FleetCalls(context.asService(fleetPermissionsNeeded), logger);
  const admission = new Admission(context.asService(admissionPermissions));
  const servers = new ServerService();
  const serversById = new ByIdLoader(Server);
  const kubernetes = createKubernetes(context, admission);
  const ha = createHighAvailability(settings.PATRONI_URLS, context);
  const [deployments, placements] = [new ByIdLoader(Deployment), new ByIdLoader(Placement)];
  const installer = settings.CLOUD_OS_INSTALLER;
  const isSuspended = (tenantId: string) => context.verifier.isSuspended(tenantId);
  const tools = { accounts, fleet, keyring, publicUrl, installer, isSuspended };
  const provisions = new ProvisionService({ accounts, fleet, admission, keyring, installer });
  return {
    build: () =>
      buildSubgraph({
        name: 'hosting',
        database,
        clock,
        verifier: context.verifier,
        permissions: hostingPermissions,
        streams: context.streams,
        resolvers: [
          new ProviderResolver(accounts),
          new CatalogueResolver(new CatalogueService(accounts)),
          new ServerResolver(servers, provisions),
          new InstanceServerResolver(servers),
          new CostResolver(new CostService(accounts)),
          ...kubernetes.resolvers,
          ...ha.resolvers,
        ],
        orphanedTypes: [InstanceReference],
        references: {
          Cluster: {
            permission: 'hosting.cluster.read',
            resolve: ({ id }: { id: string }, { operation }) => kubernetes.loader.known(operation, id),
          },
          Deployment: {
            permission: 'hosting.deployment.read',
            resolve: ({ id }: { id: string }, { operation }) => deployments.load(operation, id),
          },
          Placement: {
            permission: 'hosting.deployment.read',
            resolve: ({ id }: { id: string }, { operation }) => placements.load(operation, id),
          },
          Server: {
            permission: 'hosting.server.read',
            resolve: ({ id }: { id: string }, { operation }) => serversById.load(operation, id),
          },
          Instance: {
            permission: null,
            resolve: async ({ id }: { id: string }, { operation }) =>
              (await servers.ofInstance(operation, id)) ? { id } : null,
          },
        },
      }),
    consumers: [
      followNodes,
      mandatoryPoliciesConsumer('hosting'),
      advanceHosting,
      endedAccountGrants,
      reclaimedAccounts,
      ...kubernetes.consumers,
    ],
    sweeps: [
      serversDueSweep,
      accountsDueSweep,
      accountsReconcileSweep,
      historyRetentionSweep(settings.SERVER_HISTORY_DAYS),
      idempotencySweep('hosting'),
      accountGrantsRunOutSweep,
      endedGrantsSweep('hosting'),
      ...kubernetes.sweeps,
      ...ha.sweeps,
    ],
    jobs: [advanceJob(tools), pollJob(tools), reconcileJob(tools), ...kubernetes.jobs],
    start: async () => {
      ha.start();
      await kubernetes.start();
    },
    stop: async () => {
      ha.stop();
      await kubernetes.stop();
    },
    warnings: ha.warnings,
  };
}
