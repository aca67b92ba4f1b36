import type { JobStep } from '#platform/jobs/job.js';

import { changeDeployment } from '../deployment/change.service.js';
import { Deployment } from '../deployment/deployment.entity.js';
import { DeploymentStatus } from '../deployment/deployment.status.js';
import { lateMs } from '../deployment/retry.js';
import { changePlacement, lockPlacement } from './change.service.js';
import { lookMs, type PlacementPayload } from './kinds.js';
import { PlacementStatus } from './placement.status.js';

/** Has a placement's deployments deleted, until none is left. */
export async function removeDeployments({ payload, now, write }: JobStep<PlacementPayload>): Promise<void> {
  const { tenantId, placementId } = payload;
  await write(async ({ em, publish }) => {
    const placement = await lockPlacement(em, tenantId, placementId);
    if (placement?.status !== PlacementStatus.REMOVING) return;
    await em.execute(
      `select 1 from hosting.deployment where tenant_id = ? and placement_id = ? and deleted_at is null
       order by id for update`,
      [tenantId, placementId],
    );
    const left = await em.find(Deployment, { tenantId, placementId, deletedAt: null }, { refresh: true });
    if (left.length === 0) {
      changePlacement(publish, placement, {
        status: PlacementStatus.REMOVED,
        reason: null,
        message: null,
        sealedDesired: null,
        dueAt: null,
        deletedAt: now,
      });
      return;
    }
    const refused = left.find(({ reason }) => reason === 'DELETION_REFUSED');
    for (const deployment of left) {
      if (deployment.status === DeploymentStatus.DELETING) continue;
      // A call that makes it may be on its way.
      const isUnsure = deployment.dueAt !== null && deployment.uid === null;
      changeDeployment(publish, deployment, {
        status: DeploymentStatus.DELETING,
        reason: null,
        message: null,
        dueAt: isUnsure ? new Date(now.getTime() + lateMs) : now,
        failures: 0,
      });
    }
    const isDelayed = refused !== undefined && placement.reason === 'DELETION_DELAYED';
    if (refused && !isDelayed)
      changePlacement(publish, placement, { reason: 'DELETION_DELAYED', message: refused.message });
    placement.dueAt = new Date(now.getTime() + lookMs);
  });
}
