import type { SqlEntityManager } from '#platform/database/database.js';
import { isFailoverSql } from '#platform/membership/processes.sql.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { databaseOf, measureStreaming } from './database.loader.js';
import {
  HaHealth,
  HaNodeStatus,
  HaRole,
  type HaChange,
  type HaNode,
  type HaReason,
  type HaStatus,
} from './ha.js';
import { readExpected } from './members.loader.js';
import { faultsOf, readNodes } from './nodes.loader.js';
import type { PatroniWatch } from './patroni/watch.js';

/** How the panel stands: all of it is measured when it is asked. */
export class HaService {
  constructor(readonly patroni: PatroniWatch | undefined) {}

  async status({ em }: Operation): Promise<HaStatus> {
    const { nodes, view, database, faults } = await this.measure(em);
    const there = nodes.filter(({ status }) => status !== HaNodeStatus.OFFLINE);
    const lags = database.members.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs]));
    return {
      mode: there.length > 1 || database.members.length > 0 ? 'active-passive' : 'standalone',
      status: faults.length === 0 ? HaHealth.HEALTHY : HaHealth.DEGRADED,
      leader: nodes.find(({ role }) => role === HaRole.LEADER)?.name ?? null,
      nodes: there.length,
      replicationLagMs: lags.length === 0 ? null : Math.max(...lags),
      lastFailover: view?.lastFailover ?? (await lastChange(em)),
      reasons: faults,
      database,
    };
  }

  /** What keeps the panel from being healthy. */
  async faults(em: SqlEntityManager): Promise<readonly HaReason[]> {
    return (await this.measure(em)).faults;
  }

  private async measure(em: SqlEntityManager) {
    const nodes = await readNodes(em);
    const view = await this.patroni?.view();
    const patroni = this.patroni && view && { view, expected: await readExpected(em, this.patroni) };
    const { database, reasons } = databaseOf(await measureStreaming(em), patroni);
    return { nodes, view, database, faults: [...faultsOf(nodes), ...reasons] };
  }

  async nodes({ em }: Operation): Promise<HaNode[]> {
    return readNodes(em);
  }

  /** Newest first. */
  async changes(
    { em }: Operation,
    { first, after }: { first: number; after: string | null },
  ): Promise<HaChange[]> {
    const rows = await em.execute<(Omit<HaChange, 'epoch'> & { epoch: string | null })[]>(
      `select id::text as id, kind, from_name as "from", to_name as "to", epoch::text as epoch, occurred_at as "occurredAt"
       from platform.ha_change where ?::bigint is null or id < ? order by id desc limit ?`,
      [after, after, first],
    );
    return rows.map((row) => ({
      ...row,
      epoch: row.epoch === null ? null : Number(row.epoch),
      occurredAt: new Date(row.occurredAt),
    }));
  }
}

async function lastChange(em: SqlEntityManager): Promise<Date | null> {
  const [row] = await em.execute<{ at: string | Date }[]>(
    `select occurred_at as at from platform.ha_change
     where ${isFailoverSql} order by id desc limit 1`,
  );
  return row ? new Date(row.at) : null;
}
