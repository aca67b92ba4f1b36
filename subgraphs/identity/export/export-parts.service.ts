import type { SqlEntityManager } from '#platform/database/database.js';

export interface ExportPart {
  area: string;
  table: string;
  part: number;
  rows: Record<string, unknown>[];
}

/** Where the parts are of exports that an erasure hands out, and of those that owners ask for. */
const places = {
  erasure: { table: 'identity.tenant_export_part', column: 'erasure_id' },
  organization: { table: 'identity.organization_export_part', column: 'export_id' },
} as const;

/** Its time came to an end before the last part was read. */
export class ForgottenExport extends Error {
  override readonly name = 'ForgottenExport';
}

/** The parts of an export one after the other, by whoever it belongs to. Throws ForgottenExport where some are gone meanwhile. */
export async function* partsOfExport(
  em: SqlEntityManager,
  kind: keyof typeof places,
  { tenantId, id }: { tenantId: string; id: string },
): AsyncGenerator<ExportPart, void> {
  const { table: source, column } = places[kind];
  const [{ count }] = (await em.execute<{ count: number }[]>(
    `select count(*)::integer as count from ${source} where tenant_id = ? and ${column} = ?`,
    [tenantId, id],
  )) as [{ count: number }];
  let left = count;
  for (let after = ['', '', -1] as [string, string, number]; ;) {
    const [part] = await em.execute<ExportPart[]>(
      `select area, source_table as "table", part, rows from ${source}
       where tenant_id = ? and ${column} = ? and (area, source_table, part) > (?, ?, ?)
       order by area, source_table, part limit 1`,
      [tenantId, id, ...after],
    );
    if (!part) {
      if (left > 0) throw new ForgottenExport('an export was forgotten while it was sent');
      return;
    }
    left -= 1;
    yield part;
    after = [part.area, part.table, part.part];
  }
}
