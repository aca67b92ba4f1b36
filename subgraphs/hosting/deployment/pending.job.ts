import type { JobDefinition, JobKind, JobPayload, JobStep } from '#platform/jobs/job.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { KubeClient } from '../cluster/api/client.js';
import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { Cluster } from '../cluster/cluster.entity.js';
import { applyDeployment, deleteDeployment } from './apply.js';
import { changeDeployment, lockDeployment, settleDeployment } from './change.service.js';
import { conflictsIn } from './conflict.js';
import { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import { afterDeletion } from './end.js';
import type { Desired } from './manifest.js';
import { awayFor } from './retry.js';
import { seenFields } from './seen.js';

export interface ApplyPayload extends JobPayload {
  deploymentId: string;
}

export const applyKind: JobKind<ApplyPayload> = {
  name: 'hosting.deployment.apply',
  retry: { limit: 1, delaySeconds: 2, maxDelaySeconds: 2 },
  expireInSeconds: 60,
};

type Step = JobStep<ApplyPayload>;

/** What a call came to, or why it came to nothing. */
type Outcome<Answer> = { answer: Answer; problem?: never } | { problem: KubeError };

/** Applies once more what is desired of a deployment, or deletes it, until the cluster has done or refused it. */
export function applyJob(tools: { clients: KubeClients; keyring: Keyring }): JobDefinition<ApplyPayload> {
  return {
    ...applyKind,
    async handle(step) {
      const { tenantId, deploymentId: id } = step.payload;
      const deployment = await step.em.findOne(Deployment, { tenantId, id, deletedAt: null });
      if (!deployment?.sealedDesired || deployment.dueAt === null) return;
      const cluster = await step.em.findOne(Cluster, { tenantId, id: deployment.clusterId, deletedAt: null });
      if (!cluster) return;
      const call = async <Answer>(
        work: (client: KubeClient) => Promise<Answer>,
      ): Promise<Outcome<Answer>> => {
        try {
          if (cluster.reason === 'OTHER_CLUSTER')
            throw new KubeError('OTHER_CLUSTER', 'another cluster answers at its address');
          return { answer: await work(await tools.clients.recognized(cluster)) };
        } catch (error) {
          if (error instanceof KubeError) return { problem: error };
          throw error;
        }
      };
      if (deployment.status === DeploymentStatus.DELETING) {
        await keepEnd(step, await call(async (client) => deleteDeployment(client, deployment)));
        return;
      }
      const { namespace, name, uid, sealedDesired } = deployment;
      const desired = JSON.parse(tools.keyring.open(sealedDesired, id)) as Desired;
      const outcome = await call(async (client) =>
        applyDeployment(client, { id, namespace, name, uid, desired }),
      );
      await keepApplied(step, sealedDesired, outcome);
    },
  };
}

async function keepApplied(
  { payload: { tenantId, deploymentId }, now, write }: Step,
  sealed: string,
  { answer, problem }: { answer?: Awaited<ReturnType<typeof applyDeployment>>; problem?: KubeError },
): Promise<void> {
  await write(async ({ em, publish }) => {
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (!deployment || deployment.deletedAt !== null) return;
    if (deployment.status === DeploymentStatus.DELETING) return;
    // Somebody has asked for something else meanwhile, which this may have come after.
    if (deployment.sealedDesired !== sealed) deployment.dueAt = now;
    else if (answer) settleDeployment(publish, deployment, seenFields(answer), now);
    // It was given up meanwhile.
    else if (deployment.dueAt === null) return;
    else if (problem!.isFinal) settleDeployment(publish, deployment, refusedFor(problem!), now);
    else changeDeployment(publish, deployment, awayFor(problem!, now, deployment.failures));
  });
}

async function keepEnd(
  { payload: { tenantId, deploymentId }, now, write }: Step,
  { answer: end, problem }: { answer?: Awaited<ReturnType<typeof deleteDeployment>>; problem?: KubeError },
): Promise<void> {
  await write(async ({ em, publish }) => {
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (!deployment || deployment.deletedAt !== null) return;
    if (end) afterDeletion(publish, deployment, { end, mayComeLate: false, now });
    else if (problem!.isFinal)
      settleDeployment(publish, deployment, { ...refusedFor(problem!), reason: 'DELETION_REFUSED' }, now);
    else changeDeployment(publish, deployment, awayFor(problem!, now, deployment.failures));
  });
}

const refusedFor = ({ options, message }: KubeError) => ({
  status: DeploymentStatus.FAILED,
  reason: conflictsIn(options.causes ?? []).length > 0 ? 'FIELD_CONFLICT' : 'REFUSED',
  message,
});
