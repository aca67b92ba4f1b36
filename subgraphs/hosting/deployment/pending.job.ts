import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { KubeClient } from '../cluster/api/client.js';
import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { Cluster } from '../cluster/cluster.entity.js';
import { forgetRevisions } from '../revision/keep-revision.service.js';
import { applyDeployment, deleteDeployment } from './apply.js';
import { beginCall, putOff } from './call.job.js';
import {
  changeDeployment,
  lockDeployment,
  settleDeployment,
  type DeploymentChange,
} from './change.service.js';
import { conflictsIn } from './conflict.js';
import { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import { afterDeletion } from './end.js';
import { applyKind, type ApplyPayload } from './kinds.js';
import type { Desired } from './manifest.js';
import { awayFor, undeletedFor } from './retry.js';
import { seenFields } from './seen.js';

type Step = JobStep<ApplyPayload>;

/** What a call came to, or why it came to nothing. */
type Outcome<Answer> = { answer: Answer; problem?: never } | { problem: KubeError };

export interface ApplyTools {
  clients: KubeClients;
  keyring: Keyring;
  isSuspended: (tenantId: string) => boolean;
}

/** Applies once more what is desired of a deployment until the cluster has done or refused it, or deletes it until it is gone. */
export function applyJob(tools: ApplyTools): JobDefinition<ApplyPayload> {
  return {
    ...applyKind,
    async handle(step) {
      const { tenantId, deploymentId: id } = step.payload;
      if (tools.isSuspended(tenantId)) return putOff(step);
      const deployment = await step.em.findOne(Deployment, { tenantId, id, deletedAt: null });
      if (!deployment?.sealedDesired) return;
      const cluster = await step.em.findOne(Cluster, { tenantId, id: deployment.clusterId, deletedAt: null });
      if (!cluster || !(await beginCall(step, cluster))) return;
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
      await keepApplied(step, { sealed: sealedDesired, keyring: tools.keyring }, outcome);
    },
  };
}

async function keepApplied(
  { payload: { tenantId, deploymentId }, now, write }: Step,
  { sealed, keyring }: { sealed: string; keyring: Keyring },
  { answer, problem }: { answer?: Awaited<ReturnType<typeof applyDeployment>>; problem?: KubeError },
): Promise<void> {
  await write(async ({ em, publish }) => {
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (!deployment || deployment.deletedAt !== null) return;
    deployment.callingUntil = null;
    if (deployment.status === DeploymentStatus.DELETING) return;
    // Somebody has asked for something else meanwhile, which this may have come after.
    if (deployment.sealedDesired !== sealed)
      Object.assign(deployment, { dueAt: now }, answer ? { sealedTaken: sealed } : {});
    else if (answer)
      settleDeployment(publish, deployment, { ...seenFields(answer), sealedTaken: sealed }, now);
    // It was given up meanwhile.
    else if (deployment.dueAt === null) return;
    else if (problem!.isFinal) {
      const taken = takenBy(deployment, keyring);
      settleDeployment(publish, deployment, { ...refusedFor(problem!), ...taken?.fields }, now);
      if (taken?.revision !== undefined) await forgetRevisions(em, deployment, taken.revision + 1);
    } else changeDeployment(publish, deployment, awayFor(problem!, now, deployment.failures));
  });
}

async function keepEnd(
  { payload: { tenantId, deploymentId }, now, write }: Step,
  { answer: end, problem }: { answer?: Awaited<ReturnType<typeof deleteDeployment>>; problem?: KubeError },
): Promise<void> {
  await write(async ({ em, publish }) => {
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (!deployment || deployment.deletedAt !== null) return;
    deployment.callingUntil = null;
    if (end) afterDeletion(publish, deployment, { end, mayComeLate: false, now });
    else {
      const stays = problem!.isFinal ? undeletedFor : awayFor;
      changeDeployment(publish, deployment, stays(problem!, now, deployment.failures));
    }
  });
}

/** What is wanted of a deployment once its cluster has refused something else: what it took last, if it ever did. */
function takenBy({ id, sealedTaken }: Deployment, keyring: Keyring): Taken | undefined {
  if (sealedTaken === null) return undefined;
  const { image, replicas, revision } = JSON.parse(keyring.open(sealedTaken, id)) as Desired;
  return { fields: { image, replicas, sealedDesired: sealedTaken }, revision };
}

interface Taken {
  fields: DeploymentChange;
  /** Undefined where a version that kept no revisions had it applied. */
  revision: number | undefined;
}

const refusedFor = ({ options, message }: KubeError) => ({
  status: DeploymentStatus.FAILED,
  reason: conflictsIn(options.causes ?? []).length > 0 ? 'FIELD_CONFLICT' : 'REFUSED',
  message,
});
