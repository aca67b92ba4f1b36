import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { DeploymentChanged } from '#schema/events.js';

import { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import { isLater } from './kube-deployment.js';
import { knownBetter } from './seen.js';

/** The row as it is now, locked until the transaction ends; null when there is none. */
export async function lockDeployment(
  em: SqlEntityManager,
  tenantId: string,
  id: string,
): Promise<Deployment | null> {
  await em.execute('select 1 from hosting.deployment where tenant_id = ? and id = ? for update', [
    tenantId,
    id,
  ]);
  return em.findOne(Deployment, { tenantId, id }, { refresh: true });
}

export type DeploymentChange = Partial<Omit<Deployment, 'tenantId' | 'id' | 'version'>>;

/** Changes a deployment and tells of it. */
export function changeDeployment(
  publish: (event: OutboxEvent) => void,
  deployment: Deployment,
  change: DeploymentChange,
): void {
  const from = deployment.status;
  Object.assign(deployment, change);
  deployment.version = String(Number(deployment.version) + 1);
  publish(deploymentEvent(deployment, from));
}

/**
 * The same, when nothing is under way for it any more: what a watch told meanwhile counts where it is later than what is
 * known now.
 */
export function settleDeployment(
  publish: (event: OutboxEvent) => void,
  deployment: Deployment,
  change: DeploymentChange,
  now: Date,
): void {
  const from = deployment.status;
  Object.assign(deployment, change, { dueAt: null, failures: 0 });
  Object.assign(deployment, laterThan(deployment, now), { seenMeanwhile: null });
  deployment.version = String(Number(deployment.version) + 1);
  publish(deploymentEvent(deployment, from));
}

function laterThan(deployment: Deployment, now: Date): DeploymentChange {
  const { seenMeanwhile: seen, uid, resourceVersion, deletedAt } = deployment;
  if (!seen || deletedAt !== null || !isLater(seen.resourceVersion, resourceVersion)) return {};
  if (seen.fields) return knownBetter(deployment, seen.fields);
  return uid !== null && uid !== seen.uid ? {} : goneAt(now);
}

/** What becomes of a deployment that is there no more. */
export const goneAt = (now: Date): DeploymentChange => ({
  status: DeploymentStatus.DELETED,
  reason: null,
  message: null,
  deletedAt: now,
  sealedDesired: null,
  sealedTaken: null,
  dueAt: null,
});

export function deploymentEvent(
  {
    tenantId,
    id,
    clusterId,
    version,
    status,
  }: Pick<Deployment, 'tenantId' | 'id' | 'clusterId' | 'version' | 'status'>,
  from: string | null,
): OutboxEvent {
  return {
    topic: 'hosting.deployment.changed',
    tenantId,
    entityId: id,
    entityVersion: Number(version),
    payload: { deploymentId: id, clusterId, from, to: status } satisfies DeploymentChanged,
  };
}
