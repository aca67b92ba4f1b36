import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { JobStep } from '#platform/jobs/job.js';

import { KubeError } from '../cluster/api/kube-error.js';
import type { Cluster } from '../cluster/cluster.entity.js';
import { ClusterStatus } from '../cluster/cluster.status.js';
import { changeDeployment, lockDeployment } from './change.service.js';
import type { ApplyPayload } from './kinds.js';
import { awayFor, suspendedMs } from './retry.js';

/**
 * So many calls for a tenant's deployments are under way at a time, fewer than a process makes: a cluster that takes a
 * call and says nothing has it wait for as long as calls may take, and whoever has many of those keeps no other tenant
 * waiting.
 */
export const mostOfTenant = 4;
/** Before a call is tried again for which there was no room. */
const crowdedMs = 1_000;
/** By then a call is over, or its process. */
const longestCallMs = 60_000;

/**
 * Whether a deployment's cluster is to be called now, and the call is this attempt's then. It is not where somebody else
 * has taken it up since or it is not due any more, where the cluster is known to be offline, and where the tenant has as
 * many under way as may be.
 */
export async function beginCall(
  { payload: { tenantId, deploymentId, dueAt }, now, write }: JobStep<ApplyPayload>,
  cluster: Cluster,
): Promise<boolean> {
  return write(async ({ em, publish }) => {
    await advisoryLock(em, 'hosting.deployment_call', tenantId);
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (!deployment || deployment.deletedAt !== null) return false;
    if (deployment.dueAt?.toISOString() !== dueAt) return false;
    if (cluster.status === ClusterStatus.OFFLINE) {
      const problem = new KubeError('UNREACHABLE', cluster.message ?? 'It does not answer');
      changeDeployment(publish, deployment, awayFor(problem, now, deployment.failures));
      return false;
    }
    const [{ others }] = (await em.execute<{ others: number }[]>(
      `select count(*)::integer as others from hosting.deployment
       where tenant_id = ? and id <> ? and calling_until > ?`,
      [tenantId, deploymentId, now],
    )) as [{ others: number }];
    if (others >= mostOfTenant) deployment.dueAt = new Date(now.getTime() + crowdedMs);
    else deployment.callingUntil = new Date(now.getTime() + longestCallMs);
    return others < mostOfTenant;
  });
}

/** Clusters of a tenant that is suspended are not called, which is nobody's failure: it goes on once that is over. */
export async function putOff({
  payload: { tenantId, deploymentId, dueAt },
  now,
  write,
}: JobStep<ApplyPayload>): Promise<void> {
  await write(async ({ em }) => {
    const deployment = await lockDeployment(em, tenantId, deploymentId);
    if (deployment?.dueAt?.toISOString() === dueAt) deployment.dueAt = new Date(now.getTime() + suspendedMs);
  });
}
