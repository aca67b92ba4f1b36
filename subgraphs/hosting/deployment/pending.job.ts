import type { JobDefinition, JobKind, JobPayload, JobStep } from '#platform/jobs/job.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { Cluster } from '../cluster/cluster.entity.js';
import { applyDeployment } from './apply.js';
import { changeDeployment, lockDeployment, type DeploymentChange } from './change.service.js';
import { conflictsIn } from './conflict.js';
import { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import type { Desired } from './manifest.js';
import { seenFields } from './seen.js';

export interface ApplyPayload extends JobPayload {
  deploymentId: string;
}

export const applyKind: JobKind<ApplyPayload> = {
  name: 'hosting.deployment.apply',
  retry: { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 },
  expireInSeconds: 60,
};

const claimMs = 60_000;
const atOnce = 100;
const mostPauseMs = 300_000;

/** Has deployments applied of which nobody knows whether they were. One tenant's at a time. */
export const deploymentsDueSweep: Sweep = {
  name: 'deployment.due',
  everyMs: 2_000,
  due: 'select from hosting.deployment where due_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from hosting.deployment where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!first) return 'done';
    const due = await em.execute<{ id: string }[]>(
      `update hosting.deployment set due_at = ? where tenant_id = ? and id in (
         select id from hosting.deployment where tenant_id = ? and due_at <= ? order by due_at limit ?)
       returning id`,
      [new Date(now.getTime() + claimMs), first.tenantId, first.tenantId, now, atOnce],
    );
    for (const { id } of due) enqueue(applyKind, { tenantId: first.tenantId, deploymentId: id });
    return due.length > 0 ? 'more' : 'done';
  },
};

/** What is gone is kept for as long as events are. */
export const kubernetesRetention: Sweep = {
  name: 'kubernetes.retention',
  everyMs: 600_000,
  async run({ em, now }) {
    const before = new Date(now.getTime() - 86_400_000);
    const gone = await em.execute<unknown[]>(
      `delete from hosting.deployment where (tenant_id, id) in (
         select tenant_id, id from hosting.deployment where deleted_at < ? order by deleted_at limit 1000) returning 1`,
      [before],
    );
    if (gone.length > 0) return 'more';
    await em.execute('delete from hosting.cluster where deleted_at < ?', [before]);
    return 'done';
  },
};

/** Applies once more what is desired of a deployment, until the cluster has taken or refused it. */
export function applyJob(tools: { clients: KubeClients; keyring: Keyring }): JobDefinition<ApplyPayload> {
  return {
    ...applyKind,
    async handle(step) {
      const { tenantId, deploymentId: id } = step.payload;
      const deployment = await step.em.findOne(Deployment, { tenantId, id, deletedAt: null });
      if (!deployment?.sealedDesired || deployment.dueAt === null) return;
      const cluster = await step.em.findOne(Cluster, { tenantId, id: deployment.clusterId, deletedAt: null });
      if (!cluster) return;
      const desired = JSON.parse(tools.keyring.open(deployment.sealedDesired, id)) as Desired;
      const { namespace, name } = deployment;
      const change = await attempted(step, deployment, async () =>
        applyDeployment(tools.clients.of(cluster), { id, namespace, name, desired }),
      );
      await step.write(async ({ em, publish }) => {
        const now = await lockDeployment(em, tenantId, id);
        // Somebody has asked for something else meanwhile.
        if (now?.sealedDesired !== deployment.sealedDesired) return;
        changeDeployment(publish, now, change);
      });
    },
  };
}

async function attempted(
  { now }: JobStep<ApplyPayload>,
  { failures }: Deployment,
  apply: () => ReturnType<typeof applyDeployment>,
): Promise<DeploymentChange> {
  try {
    return { ...seenFields(await apply()), dueAt: null, failures: 0 };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (!error.isRefusal) {
      const pauseMs = Math.min(10_000 * 2 ** failures, mostPauseMs);
      return {
        reason: 'CLUSTER_AWAY',
        message: `The cluster could not be asked: ${error.message}`,
        failures: failures + 1,
        dueAt: new Date(now.getTime() + pauseMs),
      };
    }
    const isConflict = conflictsIn(error.options.causes ?? []).length > 0;
    return {
      status: DeploymentStatus.FAILED,
      reason: isConflict ? 'FIELD_CONFLICT' : 'REFUSED',
      message: error.message,
      dueAt: null,
    };
  }
}
