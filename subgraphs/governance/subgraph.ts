import type { AreaContext, RunningArea } from '#platform/area.js';
import type { EntityClass } from '#platform/database/database.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';
import { endedGrantsSweep } from '#platform/grant/grants.js';
import { idempotencySweep } from '#platform/idempotency/expired-keys.job.js';
import { TargetGuard } from '#platform/outbound/guard.js';
import { buildSubgraph } from '#platform/subgraph/build.js';

import { AdmissionResolver } from './admission/admission.resolver.js';
import { AdmissionService } from './admission/admission.service.js';
import { advanceJob } from './canary/advance.job.js';
import { referredCanary } from './canary/canaries.loader.js';
import { Canary } from './canary/canary.entity.js';
import { CanaryMemberResolver, CanaryResolver, CanaryStepResolver } from './canary/canary.resolver.js';
import { CanaryService } from './canary/canary.service.js';
import { canariesDueSweep, canaryRetentionSweep, followCommands } from './canary/due.job.js';
import { CanaryMember } from './canary/member.entity.js';
import { haltedCanaries } from './canary/suspension.job.js';
import { clustersDueSweep, followClusters } from './cluster/cluster.job.js';
import { ClusterReference } from './cluster/cluster.reference.js';
import {
  ClusterPolicyResultResolver,
  ClusterReferenceResolver,
  ClusterScoreResolver,
  ClusterScoresResolver,
} from './cluster/cluster.resolver.js';
import { ClustersService } from './cluster/clusters.service.js';
import type { GovernanceEnv } from './env.js';
import { PolicyExemption } from './exemption/exemption.entity.js';
import { ExemptionResolver } from './exemption/exemption.resolver.js';
import { ExemptionService } from './exemption/exemption.service.js';
import { FactResolver } from './fact/fact.resolver.js';
import { endedGrants, grantsRunOutSweep, reclaimedAccounts } from './gitops/ended-grants.job.js';
import { Repositories } from './gitops/git/repository.js';
import { GitOpsCommit } from './gitops/gitops-commit.entity.js';
import { GitOpsConfig } from './gitops/gitops-config.entity.js';
import { GitOpsConfigResolver } from './gitops/gitops-config.resolver.js';
import { GitOpsConfigService } from './gitops/gitops-config.service.js';
import { gitOpsDueSweep } from './gitops/sync/due.job.js';
import { lookJob } from './gitops/sync/look.job.js';
import { gitOpsPermissionsNeeded, PanelCalls } from './gitops/sync/panel-calls.js';
import { WebhookRefresh } from './gitops/webhook-refresh.job.js';
import { createGitOpsWebhookRouter } from './gitops/webhook.router.js';
import { followGroups } from './group/group.job.js';
import { followMetrics } from './metric/metrics.job.js';
import { InstanceReference } from './node/instance.reference.js';
import { InstanceReferenceResolver } from './node/instance.resolver.js';
import { followNodes } from './node/node.job.js';
import { FleetCalls, panelPermissionsNeeded } from './order/fleet-calls.js';
import { PackResolver } from './pack/pack.resolver.js';
import { PackService } from './pack/pack.service.js';
import { governancePermissions } from './permissions.js';
import { followEntitlements } from './policy/plan.job.js';
import { PolicyVersion } from './policy/policy-version.entity.js';
import { policyVersionRetentionSweep } from './policy/policy-version.job.js';
import { Policy } from './policy/policy.entity.js';
import { PolicyResolver, PolicyVersionResolver } from './policy/policy.resolver.js';
import { PolicyService } from './policy/policy.service.js';
import { PolicyRemediation } from './remediation/remediation.entity.js';
import {
  automaticSweep,
  followRemediations,
  remediationJob,
  remediationRetentionSweep,
  remediationsDueSweep,
} from './remediation/remediation.job.js';
import { RemediationResolver } from './remediation/remediation.resolver.js';
import { RemediationService } from './remediation/remediation.service.js';
import { PolicyResult } from './result/result.entity.js';
import { ResultResolver } from './result/result.resolver.js';
import { dueSweep, pendingSweep, refreshSweep } from './result/results.job.js';
import { ResultsService } from './result/results.service.js';
import { countFoldSweeps } from './score/count-fold.job.js';
import { historyRetentionSweep } from './score/history-retention.job.js';
import { overallScoreSweep } from './score/overall-score.job.js';
import { InstanceScoreResolver, ScoresResolver } from './score/scores.resolver.js';
import { ScoresService } from './score/scores.service.js';
import { advanceGovernance } from './test-clock/test-clock.job.js';
import { WhatIfResolver } from './whatif/whatif.resolver.js';
import { WhatIfService } from './whatif/whatif.service.js';

export const governanceEntities: readonly EntityClass[] = [
  Policy,
  PolicyVersion,
  PolicyExemption,
  PolicyResult,
  Canary,
  CanaryMember,
  PolicyRemediation,
  GitOpsConfig,
  GitOpsCommit,
];

/** The governance subgraph, wired by hand. */
export function createGovernance(context: AreaContext<GovernanceEnv>): RunningArea {
  const { database, clock, keyring, logger, verifier } = context;
  const isSuspended = (tenantId: string) => verifier.isSuspended(tenantId);
  const entitlements = new Entitlements('governance');
  const policies = new PolicyService(entitlements);
  const admission = new AdmissionService();
  const canaries = new CanaryService(entitlements, admission);
  const guard = new TargetGuard({
    allowPrivateTargets: context.settings.ALLOW_PRIVATE_TARGETS,
    logger,
  });
  const gitOps = new GitOpsConfigService(entitlements, guard, keyring);
  const results = new ResultsService();
  const scores = new ScoresService();
  const clusters = new ClustersService();
  const calls = new FleetCalls(context.asService(panelPermissionsNeeded));
  return {
    consumers: [
      followEntitlements,
      endedGrants,
      reclaimedAccounts,
      followNodes,
      followClusters,
      followGroups,
      followMetrics,
      followCommands,
      haltedCanaries,
      followRemediations,
      advanceGovernance,
    ],
    sweeps: [
      pendingSweep(logger),
      dueSweep(logger),
      clustersDueSweep(logger),
      refreshSweep,
      overallScoreSweep,
      historyRetentionSweep,
      policyVersionRetentionSweep,
      ...countFoldSweeps,
      canariesDueSweep,
      canaryRetentionSweep,
      gitOpsDueSweep,
      grantsRunOutSweep,
      endedGrantsSweep('governance'),
      remediationsDueSweep,
      automaticSweep,
      remediationRetentionSweep,
      idempotencySweep('governance'),
    ],
    jobs: [
      advanceJob(calls, isSuspended),
      remediationJob(calls, isSuspended),
      lookJob({
        repositories: new Repositories(guard, {
          path: context.settings.PATH,
          certificates: context.settings.GIT_SSL_CAINFO,
        }),
        panel: new PanelCalls(context.asService(gitOpsPermissionsNeeded)),
        keyring,
        entitlements,
        logger,
        isSuspended,
      }),
    ],
    webhooks: [createGitOpsWebhookRouter(new WebhookRefresh(database, keyring, clock), logger)],
    build: () =>
      buildSubgraph({
        name: 'governance',
        database,
        clock,
        verifier: context.verifier,
        permissions: governancePermissions,
        streams: context.streams,
        resolvers: [
          new FactResolver(),
          new PolicyResolver(policies, results),
          new PolicyVersionResolver(),
          new ExemptionResolver(new ExemptionService(), results),
          new PackResolver(new PackService(policies)),
          new ResultResolver(results),
          new ScoresResolver(scores),
          new InstanceScoreResolver(),
          new InstanceReferenceResolver(scores, results),
          new ClusterReferenceResolver(clusters),
          new ClusterPolicyResultResolver(results),
          new ClusterScoreResolver(),
          new ClusterScoresResolver(clusters),
          new AdmissionResolver(admission),
          new RemediationResolver(new RemediationService(), scores),
          new CanaryResolver(canaries),
          new CanaryStepResolver(),
          new CanaryMemberResolver(),
          new GitOpsConfigResolver(gitOps),
          new WhatIfResolver(new WhatIfService()),
        ],
        orphanedTypes: [InstanceReference, ClusterReference],
        references: {
          Cluster: {
            permission: null,
            resolve: async ({ id }: { id: string }, { operation }) =>
              (await clusters.find(operation, id)) ? { id } : null,
          },
          ClusterScore: {
            permission: 'governance.score.read',
            resolve: ({ clusterId }: { clusterId: string }, { operation }) =>
              clusters.find(operation, clusterId),
          },
          Instance: {
            permission: null,
            resolve: async ({ id }: { id: string }, { operation }) =>
              (await scores.find(operation, id)) ? { id } : null,
          },
          InstanceScore: {
            permission: 'governance.score.read',
            resolve: ({ instanceId }: { instanceId: string }, { operation }) =>
              scores.find(operation, instanceId),
          },
          Canary: {
            permission: 'governance.canary.read',
            resolve: ({ id }: { id: string }, { operation }) => referredCanary(operation, id),
          },
          GitOpsConfig: {
            permission: 'governance.gitops.read',
            resolve: ({ id }: { id: string }, { operation }) => gitOps.find(operation, id),
          },
          Policy: {
            permission: 'governance.policy.read',
            resolve: ({ id }: { id: string }, { operation }) => results.policy(operation, id),
          },
        },
      }),
  };
}
