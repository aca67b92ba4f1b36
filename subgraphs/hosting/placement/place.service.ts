import { ApiError, invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { Cluster } from '../cluster/cluster.entity.js';
import type { DeploymentAdmission } from '../deployment/admission.service.js';
import { updatePlacementRules } from '../deployment/deployment.inputs.js';
import { changedBy, desiredOf, namesIn } from '../deployment/desired.js';
import type { Desired } from '../deployment/manifest.js';
import { changePlacement, lockPlacement, placementEvent } from './change.service.js';
import { Placement } from './placement.entity.js';
import {
  placeDeploymentRules,
  type PlaceDeploymentInput,
  type UpdatePlacementInput,
} from './placement.inputs.js';
import { PlacementStatus } from './placement.status.js';
import { giveUpDue } from './target.job.js';
import { beginTargets, forgetRemoved } from './targets.service.js';

const room: Room = { lock: 'hosting.placement', limit: 200, of: 'placements', reason: 'PLACEMENTS_LIMIT' };

/** What tenants ask of placements. What follows is up to a job, which needs no cluster for it. */
export class PlaceService {
  constructor(
    private readonly keyring: Keyring,
    private readonly admission: DeploymentAdmission,
  ) {}

  async place(operation: Operation, input: PlaceDeploymentInput): Promise<Placement> {
    const wish = validate(placeDeploymentRules, input);
    const { tenantId, clock } = operation;
    operation.refuseSuspended(tenantId);
    const { name, region = null, tag = null } = wish;
    const namespace = wish.namespace ?? 'default';
    const desired: Desired = {
      image: wish.image,
      replicas: wish.replicas ?? 1,
      env: wish.env ?? {},
      ports: wish.ports ?? [],
    };
    const clusters = await this.admitted(operation, 'deployment.create', { namespace, region, tag, desired });
    const id = newId('placement');
    const now = clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      await requireRoom(em, room, tenantId, () => em.count(Placement, { tenantId, deletedAt: null }));
      if ((await em.count(Placement, { tenantId, namespace, name, deletedAt: null })) > 0)
        throw new ApiError('CONFLICT', `There is a placement ${name} in ${namespace} already`, {
          reason: 'NAME_TAKEN',
        });
      const { image, replicas } = desired;
      const partitionPercent = wish.partitionPercent ?? 25;
      const placement = em.create(Placement, {
        tenantId,
        id,
        version: '1',
        namespace,
        name,
        image,
        replicas,
        region,
        tag,
        partitionPercent,
        mostFailures: wish.mostFailures ?? 0,
        partition: 1,
        partitions: 1,
        status: PlacementStatus.PLACING,
        reason: null,
        message: null,
        sealedDesired: this.keyring.seal(JSON.stringify(desired), id),
        dueAt: now,
        createdAt: now,
        createdBy: viewerId(operation.requireViewer()),
        deletedAt: null,
      });
      await em.flush();
      placement.partitions = await beginTargets(em, placement, clusters);
      audit({
        target: id,
        changes: { namespace, name, region, tag, image, replicas, env: Object.keys(desired.env) },
      });
      publish(placementEvent(placement, null));
      return placement;
    });
  }

  /** Begins again at the first partition, with the clusters that match now. */
  async update(operation: Operation, id: string, input: UpdatePlacementInput): Promise<Placement> {
    const wish = validate(updatePlacementRules, input);
    const { tenantId, clock } = operation;
    const before = await this.there(operation, id);
    const desired = changedBy(wish, desiredOf(this.keyring, before)!);
    const clusters = await this.admitted(operation, 'deployment.update', {
      namespace: before.namespace,
      region: before.region,
      tag: before.tag,
      desired,
    });
    return operation.write(async ({ em, publish, audit }) => {
      const placement = await lockPlacement(em, tenantId, id);
      if (!placement) throw notFound('Placement');
      if (placement.status === PlacementStatus.REMOVING) throw beingRemoved();
      if (placement.sealedDesired !== before.sealedDesired)
        throw new ApiError('CONFLICT', 'Somebody else changed it meanwhile', { reason: 'CHANGED_MEANWHILE' });
      const { image, replicas } = desired;
      audit({ target: id, changes: { image, replicas, ...namesIn(wish) } });
      const now = clock.now();
      await giveUpDue({ em, publish, now }, placement);
      const partitions = await beginTargets(em, placement, clusters);
      changePlacement(publish, placement, {
        image,
        replicas,
        partition: 1,
        partitions,
        status: PlacementStatus.PLACING,
        reason: null,
        message: null,
        sealedDesired: this.keyring.seal(JSON.stringify(desired), id),
        dueAt: now,
      });
      return placement;
    });
  }

  /** Tries the partition that was bad once more; of one that is under way, or done, nothing changes. */
  async resume(operation: Operation, id: string): Promise<Placement> {
    const { tenantId, clock } = operation;
    return operation.write(async ({ em, publish, audit }) => {
      const placement = await lockPlacement(em, tenantId, id);
      if (!placement) throw notFound('Placement');
      if (placement.status === PlacementStatus.REMOVING) throw beingRemoved();
      audit({ target: id, changes: { partition: placement.partition } });
      if (placement.status !== PlacementStatus.STOPPED) return placement;
      await forgetRemoved(em, placement);
      await em.execute(
        `update hosting.placement_target set status = 'WAITING', reason = null, message = null, started_at = null
         where tenant_id = ? and placement_id = ? and status = 'FAILED'`,
        [tenantId, id],
      );
      // Those that failed before, and were let be, are tried with it.
      const [first] = await em.execute<{ partition: number }[]>(
        `select min(partition)::int as partition from hosting.placement_target
         where tenant_id = ? and placement_id = ? and status <> 'DONE'`,
        [tenantId, id],
      );
      changePlacement(publish, placement, {
        partition: first?.partition ?? placement.partition,
        status: PlacementStatus.PLACING,
        reason: null,
        message: null,
        dueAt: clock.now(),
      });
      return placement;
    });
  }

  /** Deletes its deployments in all clusters; asked for again it changes nothing. */
  async remove(operation: Operation, id: string): Promise<Placement> {
    const { tenantId, clock } = operation;
    return operation.write(async ({ em, publish, audit }) => {
      const placement = await lockPlacement(em, tenantId, id);
      if (!placement) throw notFound('Placement');
      audit({ target: id, changes: { name: placement.name, removed: true } });
      if (placement.status === PlacementStatus.REMOVING) return placement;
      changePlacement(publish, placement, {
        status: PlacementStatus.REMOVING,
        reason: null,
        message: null,
        dueAt: clock.now(),
      });
      return placement;
    });
  }

  private async there({ em, tenantId }: Operation, id: string): Promise<Placement> {
    const placement = await em.findOne(Placement, { tenantId, id, deletedAt: null });
    if (!placement) throw notFound('Placement');
    if (placement.status === PlacementStatus.REMOVING) throw beingRemoved();
    return placement;
  }

  /** The clusters that it is for, once policies let it be deployed in each of them. */
  private async admitted(
    operation: Operation,
    action: 'deployment.create' | 'deployment.update',
    {
      namespace,
      region,
      tag,
      desired,
    }: Pick<Placement, 'namespace' | 'region' | 'tag'> & { desired: Desired },
  ): Promise<readonly Cluster[]> {
    const { em, tenantId } = operation;
    const clusters = await em.find(
      Cluster,
      {
        tenantId,
        deletedAt: null,
        ...(region === null ? {} : { region }),
        ...(tag === null ? {} : { tags: { $contains: [tag] } }),
      },
      { orderBy: { id: 'asc' }, limit: 200 },
    );
    if (clusters.length === 0)
      throw invalid(`input.${region === null ? 'tag' : 'region'}`, 'There is no cluster of that');
    await this.admission.requireAll(
      operation,
      clusters.map((cluster) => ({ action, cluster, namespace, desired })),
    );
    return clusters;
  }
}

function beingRemoved(): ApiError {
  return new ApiError('CONFLICT', 'It is being removed', { reason: 'PLACEMENT_REMOVED' });
}
