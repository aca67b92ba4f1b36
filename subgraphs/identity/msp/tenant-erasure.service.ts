import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { TenantErasure } from './tenant-erasure.entity.js';

export interface ExportPart {
  area: string;
  table: string;
  part: number;
  rows: Record<string, unknown>[];
}

/** What became of a provider's clients that are gone. */
export class TenantErasureService {
  async page(operation: Operation, args: PageArgs): Promise<Page<TenantErasure>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      TenantErasure,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(TenantErasure, { tenantId }));
  }

  async find(operation: Operation, id: string): Promise<TenantErasure | null> {
    return operation.em.findOne(TenantErasure, { tenantId: operation.tenantId, id });
  }

  /** Whether the export is still there: it expires. */
  async hasParts(operation: Operation, erasureId: string): Promise<boolean> {
    const found = await operation.em.execute<unknown[]>(
      'select 1 from identity.tenant_export_part where tenant_id = ? and erasure_id = ? limit 1',
      [operation.tenantId, erasureId],
    );
    return found.length > 0;
  }

  /** The rows of a client that is gone, part by part. */
  async *parts(operation: Operation, erasureId: string): AsyncGenerator<ExportPart, void> {
    for (let after = ['', '', -1] as [string, string, number]; ;) {
      const [part] = await operation.em.execute<ExportPart[]>(
        `select area, source_table as "table", part, rows from identity.tenant_export_part
         where tenant_id = ? and erasure_id = ? and (area, source_table, part) > (?, ?, ?)
         order by area, source_table, part limit 1`,
        [operation.tenantId, erasureId, ...after],
      );
      if (!part) return;
      yield part;
      after = [part.area, part.table, part.part];
    }
  }
}
