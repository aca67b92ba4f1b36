import pg from 'pg';

import type { Database, SqlEntityManager } from '../database/database.js';
import { systemEm } from '../database/system-em.js';
import type { Keyring } from './keyring.js';
import type { SealedColumn } from './sealed-column.js';

/** What became of one column. */
export interface Resealed {
  /** `area.table.column` */
  name: string;
  resealed: number;
  /** Ids of values that could not be opened: their key is not on the ring, or they were altered. */
  unreadable: string[];
}

type Row = Record<string, string>;

const sealedColumn = '_sealed';
const boundColumn = '_bound';
const quoted = (name: string) => pg.escapeIdentifier(name);

/**
 * Seals every value of a column anew that is not under the keyring's first key, in batches of one transaction each.
 * Safe to interrupt and to repeat, and beside running panels that know all keys of the ring.
 */
export async function reseal(
  database: Database,
  keyring: Keyring,
  column: SealedColumn,
  batchSize = 200,
): Promise<Resealed> {
  const result: Resealed = {
    name: `${database.area}.${column.table}.${column.column}`,
    resealed: 0,
    unreadable: [],
  };
  for (let after: readonly string[] | undefined; ;) {
    const rows = await systemEm(database).transactional(async (em) => {
      const batch = await stale(em, database.area, column, keyring.currentKeyId, after, batchSize);
      for (const row of batch) await resealRow(em, database.area, column, keyring, row, result);
      return batch;
    });
    const last = rows.at(-1);
    if (!last || rows.length < batchSize) return result;
    after = column.idColumns.map((id) => last[id]!);
  }
}

async function stale(
  em: SqlEntityManager,
  area: string,
  { table, idColumns, column, boundTo }: SealedColumn,
  currentKeyId: string,
  after: readonly string[] | undefined,
  limit: number,
): Promise<Row[]> {
  const ids = idColumns.map(quoted).join(', ');
  return em.execute<Row[]>(
    `select ${ids}, ${quoted(column)} as ${sealedColumn}, ${quoted(boundTo)} as ${boundColumn}
     from ${quoted(area)}.${quoted(table)}
     where split_part(${quoted(column)}, '.', 2) <> ?
       ${after ? `and (${ids}) > (${after.map(() => '?').join(', ')})` : ''}
     order by ${ids} limit ?`,
    [currentKeyId, ...(after ?? []), limit],
  );
}

async function resealRow(
  em: SqlEntityManager,
  area: string,
  { table, idColumns, column }: SealedColumn,
  keyring: Keyring,
  row: Row,
  result: Resealed,
): Promise<void> {
  const ids = idColumns.map((id) => row[id]!);
  const [sealed, bound] = [row[sealedColumn]!, row[boundColumn]!];
  let anew: string;
  try {
    anew = keyring.seal(keyring.open(sealed, bound), bound);
  } catch {
    result.unreadable.push(ids.join('/'));
    return;
  }
  // A panel may have sealed something else there since it was read; that is under the first key already.
  const updated = await em.execute<unknown[]>(
    `update ${quoted(area)}.${quoted(table)} set ${quoted(column)} = ?
     where ${idColumns.map((id) => `${quoted(id)} = ?`).join(' and ')} and ${quoted(column)} = ? returning 1`,
    [anew, ...ids, sealed],
  );
  result.resealed += updated.length;
}
