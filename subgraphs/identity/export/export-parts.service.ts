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

/** The parts of an export one after the other, by whoever it belongs to. */
export async function* partsOfExport(
  em: SqlEntityManager,
  kind: keyof typeof places,
  { tenantId, id }: { tenantId: string; id: string },
): AsyncGenerator<ExportPart, void> {
  const { table: source, column } = places[kind];
  for (let after = ['', '', -1] as [string, string, number]; ;) {
    const [part] = await em.execute<ExportPart[]>(
      `select area, source_table as "table", part, rows from ${source}
       where tenant_id = ? and ${column} = ? and (area, source_table, part) > (?, ?, ?)
       order by area, source_table, part limit 1`,
      [tenantId, id, ...after],
    );
    if (!part) return;
    yield part;
    after = [part.area, part.table, part.part];
  }
}
