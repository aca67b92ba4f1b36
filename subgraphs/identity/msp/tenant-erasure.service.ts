import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { partsOfExport, type ExportPart } from '../export/export-parts.service.js';
import { TenantErasure } from './tenant-erasure.entity.js';

/**
 * What became of tenants that are gone. `owner` has their exports: the provider whose clients they were, or `panelsOwn`.
 */
export class TenantErasureService {
  async page(operation: Operation, owner: string, args: PageArgs): Promise<Page<TenantErasure>> {
    const window = pageWindow(args);
    const em = emOf(operation, owner);
    const rows = await em.find(
      TenantErasure,
      { tenantId: owner, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, async () => em.count(TenantErasure, { tenantId: owner }));
  }

  async find(operation: Operation, owner: string, id: string): Promise<TenantErasure | null> {
    return emOf(operation, owner).findOne(TenantErasure, { tenantId: owner, id });
  }

  /** Whether the export is still there: it expires. */
  async hasParts(operation: Operation, { tenantId, id }: TenantErasure): Promise<boolean> {
    const found = await emOf(operation, tenantId).execute<unknown[]>(
      'select 1 from identity.tenant_export_part where tenant_id = ? and erasure_id = ? limit 1',
      [tenantId, id],
    );
    return found.length > 0;
  }

  /** The rows of a tenant that is gone, part by part. */
  parts(operation: Operation, erasure: TenantErasure): AsyncGenerator<ExportPart, void> {
    return partsOfExport(emOf(operation, erasure.tenantId), 'erasure', erasure);
  }
}

function emOf({ em, database, tenantId }: Operation, owner: string): SqlEntityManager {
  return owner === tenantId ? em : database.forTenant(owner);
}
