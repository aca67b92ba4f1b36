import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { isThereSql } from '#platform/membership/processes.sql.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { startUpgradeRules, type StartUpgradeInput } from './ha.inputs.js';
import { HaNodeStatus, HaRole, type HaNode } from './ha.js';
import { readNodes } from './nodes.loader.js';
import type { HaUpgrade } from './upgrade.js';
import { readUpgrades } from './upgrades.loader.js';

/** Rolling upgrades as people ask for them; upgrade.job.ts takes the steps. */
export class UpgradeService {
  async start(operation: Operation, input: StartUpgradeInput): Promise<HaUpgrade> {
    const { version } = validate(startUpgradeRules, input);
    const id = newId('upgrade');
    await operation.write(async ({ em, audit }) => {
      const nodes = inOrder(await readNodes(em));
      if (nodes.length === 0) throw conflict('NO_CANDIDATE', 'No process is there that could be upgraded');
      const isDone = nodes.every((node) => node.version === version);
      const [made] = await em.execute<unknown[]>(
        `insert into platform.upgrade (id, version, status, asked_by) values (?, ?, 'running', ?)
         on conflict ((true)) where status in ('running', 'paused') do nothing returning id`,
        [id, version, viewerId(operation.requireViewer())],
      );
      if (!made) throw conflict('UPGRADE_UNDER_WAY', 'Another upgrade is under way, or paused');
      if (isDone) await em.execute(`update platform.upgrade set status = 'succeeded' where id = ?`, [id]);
      for (const [position, node] of nodes.entries())
        await em.execute(
          `insert into platform.upgrade_step (upgrade_id, position, node_name, process_id, status, from_version)
           values (?, ?, ?, ?, ?, ?)`,
          [id, position, node.name, node.id, node.version === version ? 'healthy' : 'pending', node.version],
        );
      audit({ target: id, changes: { version, nodes: nodes.map(({ name }) => name) } });
    });
    return this.get(operation, id);
  }

  /**
   * What is running already goes on; whoever has come back with the wanted version meanwhile is not told to end again. A
   * step stays with its own process while that is there. Names may repeat: of the newcomers each counts for one step.
   */
  async resume(operation: Operation, id: string): Promise<HaUpgrade> {
    const { status } = await this.get(operation, id);
    if (status === 'SUCCEEDED' || status === 'CANCELLED') throw ended(status);
    await operation.write(async ({ em, audit }) => {
      await em.execute(
        `update platform.upgrade set status = 'running', reason = null, updated_at = now()
         where id = ? and status = 'paused'`,
        [id],
      );
      await em.execute(
        `with own as (
           select s.position, s.node_name, s.process_id, s.status, p.id
           from platform.upgrade_step s left join platform.process p
             on p.id = coalesce(s.new_process_id, s.process_id) and ${isThereSql('p')}
           where s.upgrade_id = ? and s.status in ('failed', 'pending')),
         wanting as (
           select *, row_number() over (partition by node_name order by position) as place from own where id is null),
         newcomer as (
           select p.id, p.node_name, row_number() over (partition by p.node_name order by p.beat_at desc) as place
           from platform.process p where ${isThereSql('p')} and not exists (
             select from platform.upgrade_step o where o.upgrade_id = ? and p.id in (o.process_id, o.new_process_id))),
         chosen as (
           select position, id from own where status = 'failed' and id is not null
           union all
           select w.position, coalesce(c.id, w.process_id) from wanting w left join newcomer c using (node_name, place)),
         judged as (
           select c.position, c.id, coalesce(p.version = u.version and p.state = 'running' and ${isThereSql('p')}, false)
             as is_upgraded
           from chosen c join platform.upgrade u on u.id = ? left join platform.process p on p.id = c.id)
         update platform.upgrade_step s set process_id = j.id, new_process_id = null, started_at = null,
           status = case when j.is_upgraded then 'healthy' else 'pending' end,
           finished_at = case when j.is_upgraded then now() end
         from judged j where s.upgrade_id = ? and j.position = s.position`,
        [id, id, id, id],
      );
      audit({ target: id });
    });
    return this.get(operation, id);
  }

  async cancel(operation: Operation, id: string): Promise<HaUpgrade> {
    const { status } = await this.get(operation, id);
    if (status === 'SUCCEEDED') throw ended(status);
    await operation.write(async ({ em, audit }) => {
      await em.execute(
        `update platform.upgrade set status = 'cancelled', updated_at = now()
         where id = ? and status in ('running', 'paused')`,
        [id],
      );
      audit({ target: id });
    });
    return this.get(operation, id);
  }

  async list({ em }: Operation, window: { first: number; after: string | null }): Promise<HaUpgrade[]> {
    return readUpgrades(em, window);
  }

  /** The one that is under way or paused. */
  async open({ em }: { em: SqlEntityManager }): Promise<HaUpgrade | null> {
    const [found] = await readUpgrades(em, { first: 1, isOpen: true });
    return found ?? null;
  }

  async get({ em }: Operation, id: string): Promise<HaUpgrade> {
    const [found] = await readUpgrades(em, { first: 1, id });
    if (!found) throw new ApiError('NOT_FOUND', 'Upgrade not found');
    return found;
  }
}

/** Those that are there, the leader last. */
function inOrder(nodes: readonly HaNode[]): HaNode[] {
  return nodes
    .filter(({ status }) => status !== HaNodeStatus.OFFLINE)
    .toSorted(
      (a, b) =>
        Number(a.role === HaRole.LEADER) - Number(b.role === HaRole.LEADER) || a.name.localeCompare(b.name),
    );
}

function conflict(reason: string, message: string): ApiError {
  return new ApiError('CONFLICT', message, { reason });
}

function ended(status: string): ApiError {
  return conflict('UPGRADE_ENDED', `The upgrade has ${status.toLowerCase()} already`);
}
