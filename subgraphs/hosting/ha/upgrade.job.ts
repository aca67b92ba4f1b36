import type { SqlEntityManager } from '#platform/database/database.js';
import { outdatedBySql } from '#platform/membership/contracts.sql.js';
import { isThereSql, silentSeconds } from '#platform/membership/processes.sql.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { panelTenant } from './events.js';

// A start with an index to build or a slow image takes minutes.
const backWithinSeconds = 180;
// One that crashes soon after each start is not taken for healthy between two crashes.
const steadySeconds = 10;

interface Step {
  upgradeId: string;
  version: string;
  /** Null where none is left. */
  position: number | null;
  node: string;
  processId: string;
  status: 'pending' | 'draining' | 'healthy' | 'failed';
  isLate: boolean;
}

interface Process {
  id: string;
  version: string;
}

interface Other {
  position: number;
  node: string;
  status: 'pending' | 'healthy';
  /** Whether it said so of late. */
  isThere: boolean;
  isSteady: boolean;
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
  if (step.position === null || step.status === 'pending') {
    const others = await othersOf(em, step);
    const gone = others.find(({ isThere }) => !isThere);
    if (gone) return pauseFor(em, step, gone);
    if (!others.every(({ isSteady }) => isSteady)) return false;
  }
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

/** The steps besides this one: of those that are healthy the process that is so, of those to come any on their node. */
async function othersOf(em: SqlEntityManager, { upgradeId, position }: Step): Promise<Other[]> {
  return em.execute<Other[]>(
    `select s.position, s.node_name as node, s.status,
       coalesce(bool_or(p.beat_at > now() - interval '${silentSeconds} seconds'), false) as "isThere",
       coalesce(bool_or((p.state = 'running' or ${outdatedBySql('p')} is not null) and ${isThereSql('p')}
         and (s.status = 'pending' or p.started_at <= now() - interval '${steadySeconds} seconds')), false) as "isSteady"
     from platform.upgrade_step s
     left join platform.process p on case s.status when 'healthy' then p.id = coalesce(s.new_process_id, s.process_id)
       else p.node_name = s.node_name end
     where s.upgrade_id = ? and s.position is distinct from ?::integer and s.status in ('pending', 'healthy')
     group by s.position, s.node_name, s.status order by s.position`,
    [upgradeId, position],
  );
}

/** Nobody else is told to end while one is away already. */
async function pauseFor(em: SqlEntityManager, step: Step, gone: Other): Promise<true> {
  if (gone.status === 'pending') return end(em, step, 'paused', `${gone.node} is not there`);
  await move(em, { ...step, position: gone.position }, 'failed', null);
  return end(em, step, 'paused', `${gone.node} ended again after it had come back`);
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
