import type { SqlEntityManager } from '#platform/database/database.js';
import { isThereSql } from '#platform/membership/processes.sql.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { panelTenant } from './events.js';

// A start with an index to build or a slow image takes minutes.
const backWithinSeconds = 180;

interface Step {
  upgradeId: string;
  version: string;
  position: number;
  node: string;
  processId: string;
  status: 'pending' | 'draining' | 'healthy' | 'failed';
  isLate: boolean;
}

interface Process {
  id: string;
  version: string;
}

/** Takes a rolling upgrade from step to step. The plan is in rows: whoever holds the lease goes on with it. */
export const upgradeSweep: Sweep = {
  name: 'ha.upgrade',
  everyMs: 1_000,
  due: `select from platform.upgrade where status = 'running'`,
  async run({ em, publish }) {
    const [step] = await em.execute<Step[]>(
      `select u.id as "upgradeId", u.version, s.position, s.node_name as node, s.process_id as "processId", s.status,
         coalesce(s.started_at < now() - interval '${backWithinSeconds} seconds', false) as "isLate"
       from platform.upgrade u left join platform.upgrade_step s on s.upgrade_id = u.id and s.status <> 'healthy'
       where u.status = 'running' order by s.position limit 1 for update of u`,
    );
    if (!step) return 'done';
    if (!(await take(em, step))) return 'done';
    publish({
      topic: 'hosting.ha.changed',
      tenantId: panelTenant,
      entityId: 'ha',
      payload: { leader: null },
    });
    return 'done';
  },
};

/** Whether anything has changed. */
async function take(em: SqlEntityManager, step: Step): Promise<boolean> {
  if (step.position === null) return end(em, step, 'succeeded', null);
  if (step.status === 'pending') {
    await em.execute(`select platform.tell_process(?, 'restart')`, [step.processId]);
    return move(em, step, 'draining', null);
  }
  if (step.status === 'failed') return end(em, step, 'paused', `${step.node} failed before`);
  const [process] = await em.execute<Process[]>(
    `select p.id, p.version from platform.process p
     where p.node_name = ? and p.id <> ? and p.state = 'running' and p.address <> '' and ${isThereSql('p')}
       and not exists (select from platform.upgrade_step s
         where s.upgrade_id = ? and p.id in (s.process_id, s.new_process_id))
     order by p.version = ? desc, p.started_at desc limit 1`,
    [step.node, step.processId, step.upgradeId, step.version],
  );
  if (process?.version === step.version) return move(em, step, 'healthy', process.id);
  if (!process && !step.isLate) return false;
  await move(em, step, 'failed', null);
  const reason = process
    ? `${step.node} came back as version ${process.version}`
    : `${step.node} did not come back within ${backWithinSeconds} seconds`;
  return end(em, step, 'paused', reason);
}

async function move(
  em: SqlEntityManager,
  { upgradeId, position }: Step,
  status: Step['status'],
  newProcessId: string | null,
): Promise<true> {
  const time = status === 'draining' ? 'started_at' : 'finished_at';
  await em.execute(
    `update platform.upgrade_step set status = ?, new_process_id = ?, ${time} = now()
     where upgrade_id = ? and position = ?`,
    [status, newProcessId, upgradeId, position],
  );
  return true;
}

async function end(
  em: SqlEntityManager,
  { upgradeId }: Step,
  status: 'succeeded' | 'paused',
  reason: string | null,
): Promise<true> {
  await em.execute('update platform.upgrade set status = ?, reason = ?, updated_at = now() where id = ?', [
    status,
    reason,
    upgradeId,
  ]);
  return true;
}
