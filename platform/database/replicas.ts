import type pg from 'pg';

import type { Connections } from './connections.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import type { ReadPositions } from './read-positions.js';

// Of a replica that failed; meanwhile the primary is read without asking.
const restMs = 5_000;
const divisionByZero = '22012';

/** Reads from replicas, as far as they have what the tenant was told of before. */
export class Replicas {
  private restsUntil = 0;

  constructor(
    private readonly connections: Connections,
    private readonly positions: ReadPositions,
  ) {}

  /** Undefined where the primary has to be read: no replica answers, or what answers is behind. */
  async select<Row extends pg.QueryResultRow>(
    tenantId: string,
    settings: Readonly<Record<string, string>>,
    sql: string,
    values: readonly ReadValue[],
    types?: pg.CustomTypesConfig,
  ): Promise<Row[] | undefined> {
    if (performance.now() < this.restsUntil) return undefined;
    const needed = await this.positions.needed(tenantId);
    if (needed === undefined) return undefined;
    // The statement in front fails where the replica is behind, and what stands behind it is then not run. A replica of
    // a primary that was replaced goes as far as any, but knows no timeline of its successor. The primary itself, which
    // an address may lead to as well, has replayed nothing, or nothing since it took over.
    const { timeline, lsn } = needed;
    const guard = `select 1 / coalesce(((not pg_is_in_recovery() or pg_last_wal_replay_lsn() >= '${lsn}')
        and (select max(timeline) from platform.timeline) >= ${timeline})::int, 0); `;
    const from = { take: async () => this.connections.takeReplica() };
    try {
      return await inOneMessage<Row>(from, settings, sql, values, types, guard);
    } catch (error) {
      if ((error as { code?: unknown }).code !== divisionByZero) this.restsUntil = performance.now() + restMs;
      return undefined;
    }
  }
}
