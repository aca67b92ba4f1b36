import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { Cluster } from '../cluster/cluster.entity.js';
import type { DeploymentAdmission } from '../deployment/admission.service.js';
import type { Desired } from '../deployment/manifest.js';
import { suspendedMs } from '../deployment/retry.js';
import { changePlacement, lockPlacement } from './change.service.js';
import { advancePlacementKind, lookMs, type PlacementPayload } from './kinds.js';
import { Placement } from './placement.entity.js';
import { PlacementStatus, PlacementTargetStatus } from './placement.status.js';
import { removeDeployments } from './removal.job.js';
import { PlacementTarget } from './target.entity.js';
import { beginTarget, giveUpDue, lookAtTarget } from './target.job.js';
import { forgetRemoved } from './targets.service.js';

type Step = JobStep<PlacementPayload>;

export interface AdvanceTools {
  admission: DeploymentAdmission;
  keyring: Keyring;
  isSuspended: (tenantId: string) => boolean;
}

/** A cluster in which its policies are against it, and why. */
type Refused = ReadonlyMap<string, string>;

const unaskedMs = 10_000;

/**
 * Takes a placement's next step: has what waits in the partition under way deployed, looks how that is, and goes on to the
 * next partition, or stops. It writes rows only; clusters are asked by the jobs of deployments.
 */
export function advancePlacementJob(tools: AdvanceTools): JobDefinition<PlacementPayload> {
  return {
    ...advancePlacementKind,
    async handle(step) {
      const { tenantId, placementId: id } = step.payload;
      if (tools.isSuspended(tenantId)) return putOff(step);
      const placement = await step.em.findOne(Placement, { tenantId, id, deletedAt: null });
      if (!placement || placement.dueAt === null) return;
      if (placement.status === PlacementStatus.REMOVING) {
        await removeDeployments(step);
        return;
      }
      if (placement.status !== PlacementStatus.PLACING) return;
      const desired = JSON.parse(tools.keyring.open(placement.sealedDesired!, id)) as Desired;
      const refused = await askPolicies(tools.admission, step, { placement, desired });
      await step.write(async ({ em, publish }) => {
        const now = await lockPlacement(em, tenantId, id);
        // Somebody has asked for something else meanwhile, and it is due again for that.
        if (now?.status !== PlacementStatus.PLACING || now.sealedDesired !== placement.sealedDesired) return;
        if (now.partition !== placement.partition) return;
        if (!refused) now.dueAt = new Date(step.now.getTime() + unaskedMs);
        else
          await advance(
            { em, publish, now: step.now, keyring: tools.keyring },
            { placement: now, desired, refused },
          );
      });
    },
  };
}

/** Nobody calls or watches clusters of a tenant that is suspended: what is under way there has all its time afterwards. */
async function putOff({ payload: { tenantId, placementId }, now, write }: Step): Promise<void> {
  await write(async ({ em }) => {
    const placement = await lockPlacement(em, tenantId, placementId);
    if (!placement || placement.dueAt === null) return;
    placement.dueAt = new Date(now.getTime() + suspendedMs);
    await em.execute(
      `update hosting.placement_target set started_at = ? where tenant_id = ? and placement_id = ? and status = ?`,
      [now, tenantId, placementId, PlacementTargetStatus.DEPLOYING],
    );
  });
}

/** What policies say of the clusters that are next; undefined when they cannot be asked. */
async function askPolicies(
  admission: DeploymentAdmission,
  { em, payload: { tenantId }, causedBy }: Step,
  { placement, desired }: { placement: Placement; desired: Desired },
): Promise<Refused | undefined> {
  const { id: placementId, namespace, partition, createdBy: actor } = placement;
  const waiting = await em.find(PlacementTarget, {
    tenantId,
    placementId,
    partition,
    status: PlacementTargetStatus.WAITING,
  });
  const ids = waiting.map(({ clusterId }) => clusterId);
  const clusters = await em.find(Cluster, { tenantId, id: { $in: ids }, deletedAt: null });
  return admission.refusalsOf(
    { em, tenantId, causedBy, actor },
    clusters.map((cluster) => {
      const isNew = waiting.find(({ clusterId }) => clusterId === cluster.id)?.deploymentId == null;
      return { action: isNew ? 'deployment.create' : 'deployment.update', cluster, namespace, desired };
    }),
  );
}

export interface Advancing {
  em: Parameters<typeof lockPlacement>[0];
  publish: Parameters<typeof changePlacement>[0];
  now: Date;
  keyring: Keyring;
}

interface Partition {
  placement: Placement;
  desired: Desired;
  refused: Refused;
}

async function advance(write: Advancing, { placement, desired, refused }: Partition): Promise<void> {
  const { em, publish, now } = write;
  const { tenantId, id: placementId, partition, partitions } = placement;
  let isNews = await forgetRemoved(em, placement);
  const targets = await em.find(
    PlacementTarget,
    { tenantId, placementId, partition: { $lte: partition } },
    { orderBy: { partition: 'asc', clusterId: 'asc' } },
  );
  const current = targets.filter((target) => target.partition === partition);
  for (const target of current) {
    const before = target.status;
    if (before === PlacementTargetStatus.WAITING)
      await beginTarget(write, { target, placement, desired, refusal: refused.get(target.clusterId) });
    else if (before === PlacementTargetStatus.DEPLOYING) await lookAtTarget(write, target);
    isNews ||= before !== target.status;
  }
  const soon = new Date(now.getTime() + lookMs);
  if (current.some(({ status }) => status === PlacementTargetStatus.DEPLOYING)) {
    if (isNews) changePlacement(publish, placement, { dueAt: soon });
    else placement.dueAt = soon;
    return;
  }
  const failed = targets.filter(({ status }) => status === PlacementTargetStatus.FAILED);
  if (failed.length > placement.mostFailures) {
    await giveUpDue(write, placement);
    changePlacement(publish, placement, {
      status: PlacementStatus.STOPPED,
      reason: 'PARTITION_FAILED',
      message: await wordsFor(write, placement, failed),
      dueAt: null,
    });
  } else if (partition < partitions)
    changePlacement(publish, placement, { partition: partition + 1, dueAt: now });
  else changePlacement(publish, placement, { status: PlacementStatus.PLACED, dueAt: null });
}

const mostNamed = 5;

async function wordsFor(
  { em }: Advancing,
  { tenantId, partition, partitions }: Placement,
  failed: readonly PlacementTarget[],
): Promise<string> {
  const named = failed.slice(0, mostNamed);
  const clusters = await em.find(Cluster, { tenantId, id: { $in: named.map(({ clusterId }) => clusterId) } });
  const names = named.map(({ clusterId, reason }) => {
    const name = clusters.find(({ id }) => id === clusterId)?.name ?? clusterId;
    return `${name} (${reason})`;
  });
  const others = failed.length > mostNamed ? ` and ${failed.length - mostNamed} more` : '';
  return `Stopped at partition ${partition} of ${partitions}: it failed in ${names.join(', ')}${others}`;
}
