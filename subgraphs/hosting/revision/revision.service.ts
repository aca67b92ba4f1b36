import { notFound } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { foreignCursor, pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { Deployment } from '../deployment/deployment.entity.js';
import { desiredOf } from '../deployment/desired.js';
import type { Revisions } from './keep-revision.service.js';
import { DeploymentRevision } from './revision.entity.js';

/** Reads revisions; see keep-revision.service.ts for who writes them. */
export class RevisionService {
  constructor(
    private readonly keyring: Keyring,
    private readonly revisions: Revisions,
  ) {}

  /** Newest first. */
  async page(
    operation: Operation,
    deploymentId: string,
    args: PageArgs,
  ): Promise<Page<DeploymentRevision & { id: string }>> {
    const window = pageWindow(args);
    const { em, tenantId } = operation;
    if (window.after !== undefined && !/^[1-9]\d{0,8}$/.test(window.after)) throw foreignCursor();
    const deployment = await em.findOne(Deployment, { tenantId, id: deploymentId });
    if (!deployment) throw notFound('Deployment');
    const desired = desiredOf(this.keyring, deployment);
    const wanted = desired ? await this.revisions.numberOf(em, deployment, desired) : undefined;
    const which = { tenantId, deploymentId };
    const rows = await em.find(
      DeploymentRevision,
      { ...which, ...(window.after === undefined ? {} : { revision: { $lt: Number(window.after) } }) },
      { orderBy: { revision: 'desc' }, limit: window.size + 1 },
    );
    const told = rows.map((row) =>
      Object.assign(row, { id: String(row.revision), isWanted: row.revision === wanted }),
    );
    return toPage(told, window, () => em.count(DeploymentRevision, which));
  }
}
