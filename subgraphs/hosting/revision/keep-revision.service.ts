import type { SqlEntityManager } from '#platform/database/database.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { Deployment } from '../deployment/deployment.entity.js';
import type { Desired } from '../deployment/manifest.js';
import type { ChangeCause } from './change-cause.js';
import { changedIn, isSameTemplate } from './changed.js';
import { DeploymentRevision } from './revision.entity.js';

/** What is wanted of a deployment from now on, and how that came. */
export interface NewWish {
  desired: Desired;
  /** Null of a new one. */
  was: Desired | null;
  changeCause: ChangeCause;
  toRevision?: number;
  by: string;
  now: Date;
}

export interface KeptWish {
  /** With the number of its revision. */
  desired: Desired;
  sealed: string;
  revision: number;
  /** The first revision that is new by it; undefined where none is. */
  first: number | undefined;
}

/** The revisions of deployments: the one that is wanted, and so many before it. */
export class Revisions {
  constructor(
    private readonly keyring: Keyring,
    private readonly limit: number,
  ) {}

  /**
   * Keeps what is wanted from now on, as a new revision where it wants other pods than before. The row is locked, or new.
   * What a version without revisions has changed meanwhile becomes one as well, of which nobody knows who made it. Nothing
   * is flushed: a second update of the row in one transaction would have its cluster looked at, which its watch holds while
   * it waits for the row.
   */
  async keep(em: SqlEntityManager, deployment: Deployment, wish: NewWish): Promise<KeptWish> {
    const { desired, was } = wish;
    const { lastRevision } = deployment;
    const before =
      was && ((await this.numberOf(em, deployment, was)) ?? this.add(em, deployment, { desired: was }));
    const isOther = before === null || !isSameTemplate(desired, was!);
    const revision = isOther ? this.add(em, deployment, wish) : before;
    if (isOther) await this.forgetOld(em, deployment);
    const numbered = { ...desired, revision };
    return {
      desired: numbered,
      sealed: this.keyring.seal(JSON.stringify(numbered), deployment.id),
      revision,
      first: deployment.lastRevision > lastRevision ? lastRevision + 1 : undefined,
    };
  }

  /** The number of the revision that is wanted; undefined where a version without revisions has changed it since. */
  async numberOf(
    em: SqlEntityManager,
    { tenantId, id: deploymentId }: Deployment,
    { revision, ...desired }: Desired,
  ): Promise<number | undefined> {
    if (revision !== undefined) return revision;
    const [latest] = await em.find(
      DeploymentRevision,
      { tenantId, deploymentId },
      { orderBy: { revision: 'desc' }, limit: 1 },
    );
    return latest && isSameTemplate(this.open(latest), desired) ? latest.revision : undefined;
  }

  open({ sealedDesired, deploymentId }: DeploymentRevision): Desired {
    return JSON.parse(this.keyring.open(sealedDesired, deploymentId)) as Desired;
  }

  private add(
    em: SqlEntityManager,
    deployment: Deployment,
    { desired, was, ...how }: Pick<NewWish, 'desired'> & Partial<NewWish>,
  ): number {
    const { tenantId, id: deploymentId } = deployment;
    const revision = (deployment.lastRevision += 1);
    em.create(DeploymentRevision, {
      tenantId,
      deploymentId,
      revision,
      changeCause: how.changeCause ?? null,
      toRevision: how.toRevision ?? null,
      image: desired.image,
      replicas: desired.replicas,
      changed: was ? changedIn(desired, was) : [],
      sealedDesired: this.keyring.seal(JSON.stringify({ ...desired, revision }), deploymentId),
      createdAt: how.now ?? null,
      createdBy: how.by ?? null,
    });
    return revision;
  }

  /** Those that are not of the newest any more beside the one that is new, which is not written yet. */
  private async forgetOld(em: SqlEntityManager, { tenantId, id, lastRevision }: Deployment): Promise<void> {
    await em.execute(
      `delete from hosting.deployment_revision where tenant_id = ? and deployment_id = ? and revision < coalesce((
         select revision from hosting.deployment_revision where tenant_id = ? and deployment_id = ? and revision < ?
         order by revision desc offset ? limit 1), 0)`,
      [tenantId, id, tenantId, id, lastRevision, this.limit - 1],
    );
  }
}

/** Forgets revisions from a number on, which the cluster has refused: nothing of them was done. */
export async function forgetRevisions(
  em: SqlEntityManager,
  { tenantId, id }: Pick<Deployment, 'tenantId' | 'id'>,
  from: number,
): Promise<void> {
  await em.execute(
    'delete from hosting.deployment_revision where tenant_id = ? and deployment_id = ? and revision >= ?',
    [tenantId, id, from],
  );
}
