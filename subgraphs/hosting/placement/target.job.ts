import { newId } from '#platform/ids.js';

import { holdCluster } from '../cluster/change.service.js';
import {
  changeDeployment,
  deploymentEvent,
  lockDeployment,
  settleDeployment,
} from '../deployment/change.service.js';
import { Deployment } from '../deployment/deployment.entity.js';
import { DeploymentStatus } from '../deployment/deployment.status.js';
import type { Desired } from '../deployment/manifest.js';
import { newDeployment } from '../deployment/new-deployment.js';
import type { Advancing } from './advance.job.js';
import type { Placement } from './placement.entity.js';
import { PlacementTargetStatus, targetDeadlineMs } from './placement.status.js';
import { PlacementTarget } from './target.entity.js';

interface Beginning {
  target: PlacementTarget;
  placement: Placement;
  desired: Desired;
  /** What policies have against it there. */
  refusal: string | undefined;
}

type Writing = Pick<Advancing, 'em' | 'publish' | 'now'>;

/** Writes down that it is wanted in a cluster; the job of the deployment applies it. */
export async function beginTarget(
  { em, publish, now, keyring }: Advancing,
  { target, placement, desired, refusal }: Beginning,
): Promise<void> {
  const { tenantId, clusterId } = target;
  if (!(await holdCluster(em, tenantId, clusterId))) return fail(target, 'GONE', 'The cluster was removed');
  if (refusal !== undefined) return fail(target, 'POLICY_VIOLATION', refusal);
  const { namespace, name, id: placementId } = placement;
  const known = target.deploymentId === null ? null : await lockDeployment(em, tenantId, target.deploymentId);
  if (known && known.deletedAt === null) {
    changeDeployment(publish, known, {
      image: desired.image,
      replicas: desired.replicas,
      status: DeploymentStatus.PENDING,
      reason: null,
      message: null,
      sealedDesired: keyring.seal(JSON.stringify(desired), known.id),
      dueAt: now,
      failures: 0,
    });
  } else {
    if ((await em.count(Deployment, { tenantId, clusterId, namespace, name, deletedAt: null })) > 0)
      return fail(target, 'NAME_TAKEN', `There is a deployment ${name} in ${namespace} already`);
    const id = newId('deployment');
    const sealed = keyring.seal(JSON.stringify(desired), id);
    const wanted = { tenantId, id, clusterId, namespace, name, placementId, desired, sealed };
    const deployment = em.create(Deployment, newDeployment({ ...wanted, createdAt: now, dueAt: now }));
    publish(deploymentEvent(deployment, null));
    target.deploymentId = id;
  }
  Object.assign(target, {
    status: PlacementTargetStatus.DEPLOYING,
    reason: null,
    message: null,
    startedAt: now,
  });
}

/** Takes over how its deployment is in a cluster. */
export async function lookAtTarget(write: Advancing, target: PlacementTarget): Promise<void> {
  const { em, now } = write;
  const { tenantId, deploymentId, startedAt } = target;
  const deployment = await em.findOne(Deployment, { tenantId, id: deploymentId!, deletedAt: null });
  if (!deployment) return fail(target, 'GONE', 'Somebody has deleted it in its cluster');
  const { status, reason, message, dueAt } = deployment;
  if (status === DeploymentStatus.RUNNING && dueAt === null) target.status = PlacementTargetStatus.DONE;
  else if (status === DeploymentStatus.FAILED) fail(target, reason, message);
  else if (now.getTime() - startedAt!.getTime() >= targetDeadlineMs) {
    fail(target, 'TOO_LATE', `It was not rolled out in time${message === null ? '' : `: ${message}`}`);
    await giveUp(write, deployment);
  }
}

/**
 * What a placement has not applied when it stops, or when something else is asked of it, is not applied later, when nobody
 * expects it any more.
 */
export async function giveUpDue(write: Writing, { tenantId, id: placementId }: Placement): Promise<void> {
  const targets = await write.em.find(PlacementTarget, { tenantId, placementId });
  const ids = targets.flatMap(({ deploymentId }) => deploymentId ?? []);
  const due = await write.em.find(
    Deployment,
    { tenantId, id: { $in: ids }, deletedAt: null, dueAt: { $ne: null } },
    { orderBy: { id: 'asc' } },
  );
  for (const deployment of due) await giveUp(write, deployment);
}

async function giveUp({ em, publish, now }: Writing, { tenantId, id }: Deployment): Promise<void> {
  const deployment = await lockDeployment(em, tenantId, id);
  if (!deployment || deployment.dueAt === null || deployment.status === DeploymentStatus.DELETING) return;
  const { FAILED: status } = DeploymentStatus;
  const message = 'It was not applied in time';
  settleDeployment(publish, deployment, { status, reason: 'TOO_LATE', message }, now);
}

function fail(target: PlacementTarget, reason: string | null, message: string | null): void {
  Object.assign(target, { status: PlacementTargetStatus.FAILED, reason, message });
}
