import type { SqlEntityManager } from '#platform/database/database.js';
import { outdatedBySql } from '#platform/membership/contracts.sql.js';
import { isHeldSql, isThereSql } from '#platform/membership/processes.sql.js';

import { HaNodeStatus, HaRole, type HaLease, type HaNode, type HaReason } from './ha.js';

interface Row {
  id: string;
  name: string;
  version: string;
  address: string;
  areas: string[];
  state: 'running' | 'draining';
  isThere: boolean;
  outdatedBy: string | null;
  startedAt: string;
  lastHeartbeat: string;
  leases: { name: string; epoch: string; acquiredAt: string }[];
}

// Bounded by what is forgotten after ten minutes.
const most = 1_000;

/** Every process of the panel, those that are there first, in the order of their names. */
export async function readNodes(em: SqlEntityManager): Promise<HaNode[]> {
  const rows = await em.execute<Row[]>(
    `select p.id, p.node_name as name, p.version, p.address, to_json(p.areas) as areas, p.state,
       ${isThereSql('p')} as "isThere", ${outdatedBySql('p')} as "outdatedBy",
       p.started_at as "startedAt", p.beat_at as "lastHeartbeat",
       coalesce((select json_agg(json_build_object('name', l.name, 'epoch', l.epoch::text, 'acquiredAt', l.acquired_at)
           order by l.name)
         from platform.lease l where l.holder = p.id and ${isHeldSql('l')}), '[]') as leases
     from platform.process p order by "isThere" desc, p.node_name, p.started_at limit ${most}`,
  );
  const leader = leaderOf(rows);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    role: row === leader ? HaRole.LEADER : HaRole.FOLLOWER,
    status: !row.isThere
      ? HaNodeStatus.OFFLINE
      : row.state === 'draining' || row.outdatedBy !== null
        ? HaNodeStatus.DRAINING
        : HaNodeStatus.HEALTHY,
    version: row.version,
    outdatedBy: row.outdatedBy,
    address: row.address,
    areas: row.areas,
    startedAt: new Date(row.startedAt),
    lastHeartbeat: new Date(row.lastHeartbeat),
    leases: row.leases.map(({ name, epoch, acquiredAt }): HaLease => ({
      name,
      epoch: Number(epoch),
      acquiredAt: new Date(acquiredAt),
    })),
    epoch: row.leases.length === 0 ? null : Math.max(...row.leases.map(({ epoch }) => Number(epoch))),
  }));
}

/** Whoever holds the most; the name decides between equals, so that all say the same. */
function leaderOf(rows: readonly Row[]): Row | undefined {
  return rows
    .filter(({ leases }) => leases.length > 0)
    .toSorted((a, b) => b.leases.length - a.leases.length || a.name.localeCompare(b.name))[0];
}

/**
 * Those that are gone without another in their place: one that was started anew is another process of the same name with
 * the same areas, which began after the last that was heard of the one before, and stands for no other. It may be gone
 * as well, with another in its place.
 */
function missing(nodes: readonly HaNode[]): HaNode[] {
  const successors = new Set(nodes);
  const places = new Map(nodes.map((node) => [node, [node.name, ...node.areas.toSorted()].join(' ')]));
  return (
    nodes
      .filter(({ status }) => status === HaNodeStatus.OFFLINE)
      // Whoever was heard of last has the fewest that could be its successor.
      .toSorted((a, b) => b.lastHeartbeat.getTime() - a.lastHeartbeat.getTime())
      .filter((gone) => {
        for (const other of successors)
          if (other.startedAt > gone.lastHeartbeat && places.get(other) === places.get(gone))
            return !successors.delete(other);
        return true;
      })
  );
}

export function faultsOf(nodes: readonly HaNode[]): HaReason[] {
  const there = nodes.filter(({ status }) => status !== HaNodeStatus.OFFLINE);
  const reasons: HaReason[] = missing(nodes).map(({ name }) => ({
    code: 'NODE_OFFLINE',
    message: `${name} ended without a word, or is frozen`,
  }));
  for (const { name, version, outdatedBy } of there)
    if (outdatedBy !== null) {
      const message = `${name} is of version ${version}, which is too old for the database: it has had ${outdatedBy}`;
      reasons.push({ code: 'NODE_OUTDATED', message });
    }
  const held = new Set(there.flatMap(({ leases }) => leases.map(({ name }) => name)));
  const free = [...new Set(there.flatMap(({ areas }) => areas))].filter((area) => !held.has(area));
  if (free.length > 0)
    reasons.push({
      code: 'LEASES_FREE',
      message: `Nobody runs the singletons of ${free.toSorted().join(', ')}`,
    });
  return reasons;
}
