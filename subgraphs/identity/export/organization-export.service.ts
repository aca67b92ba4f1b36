import { LockMode } from '@mikro-orm/core';

import { newId } from '#platform/ids.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { OrganizationExportAsked } from '#schema/events.js';

import { Tenant } from '../tenant/tenant.entity.js';
import { requireStanding } from '../user/standing.service.js';
import { partsOfExport, type ExportPart } from './export-parts.service.js';
import { OrganizationExport } from './organization-export.entity.js';

const hour = 60 * 60 * 1000;
const keptMs = 7 * 24 * hour;
/** To copy everything is work for every area: asked for again within the time it is the one that there is. */
const pauseMs = hour;

/** Exports that owners make of their organization while it lives. */
export class OrganizationExports {
  /** The newest that was not forgotten. */
  async newest(operation: Operation): Promise<OrganizationExport | null> {
    const { em, clock } = operation;
    const { tenantId } = operation.requireUser();
    const [found] = await em.find(
      OrganizationExport,
      { tenantId, expiresAt: { $gt: clock.now() } },
      { orderBy: { id: 'desc' }, limit: 1 },
    );
    return found ?? null;
  }

  /** Asks every area for its part. The one of before ends. */
  async begin(operation: Operation): Promise<OrganizationExport> {
    const viewer = operation.requireUser();
    const { tenantId } = viewer;
    const now = operation.clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      await requireStanding(em, viewer);
      // Of two that come at once the second finds the first one's.
      await em.findOneOrFail(Tenant, { id: tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const recent = await em.findOne(OrganizationExport, {
        tenantId,
        startedAt: { $gt: new Date(now.getTime() - pauseMs) },
        expiresAt: { $gt: now },
      });
      audit({ target: recent?.id ?? tenantId, changes: { isNew: recent === null } });
      if (recent) return recent;
      await em.nativeUpdate(OrganizationExport, { tenantId, expiresAt: { $gt: now } }, { expiresAt: now });
      const made = Object.assign(new OrganizationExport(), {
        tenantId,
        id: newId('export'),
        startedAt: now,
        completedAt: null,
        expiresAt: new Date(now.getTime() + keptMs),
        report: {},
        isCut: false,
      });
      await em.persist(made).flush();
      audit({ target: made.id });
      publish({
        topic: 'identity.organization-export.asked',
        tenantId,
        entityId: made.id,
        payload: { exportId: made.id } satisfies OrganizationExportAsked,
      });
      return made;
    });
  }

  /** One that can be fetched. */
  async complete({ em, tenantId, clock }: Operation, id: string): Promise<OrganizationExport | undefined> {
    const found = await em.findOne(OrganizationExport, { tenantId, id, expiresAt: { $gt: clock.now() } });
    return found?.completedAt ? found : undefined;
  }

  parts({ em }: Operation, found: OrganizationExport): AsyncGenerator<ExportPart, void> {
    return partsOfExport(em, 'organization', found);
  }
}
