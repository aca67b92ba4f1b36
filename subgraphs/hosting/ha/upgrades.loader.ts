import type { SqlEntityManager } from '#platform/database/database.js';

import { HaUpgradeStatus, HaUpgradeStepStatus, type HaUpgrade, type HaUpgradeStep } from './upgrade.js';

interface Row extends Omit<HaUpgrade, 'status' | 'createdAt' | 'steps'> {
  status: string;
  createdAt: string;
  steps: (Omit<HaUpgradeStep, 'status' | 'startedAt' | 'finishedAt'> & {
    status: string;
    startedAt: string | null;
    finishedAt: string | null;
  })[];
}

interface Wanted {
  first: number;
  after?: string | null;
  id?: string | null;
  isOpen?: boolean;
}

/** The latest upgrades, newest first, or those before one; with an id that one alone, and where it is to be open what is under way or paused. */
export async function readUpgrades(
  em: SqlEntityManager,
  { first, after = null, id = null, isOpen = false }: Wanted,
): Promise<HaUpgrade[]> {
  const rows = await em.execute<Row[]>(
    `select u.id, u.version, upper(u.status) as status, u.reason, u.created_at as "createdAt",
       (select json_agg(json_build_object('node', s.node_name, 'status', upper(s.status), 'fromVersion', s.from_version,
          'startedAt', s.started_at, 'finishedAt', s.finished_at) order by s.position)
        from platform.upgrade_step s where s.upgrade_id = u.id) as steps
     from platform.upgrade u
     where (?::text is null or u.id = ?) and (?::text is null or u.id < ?) and (not ?::boolean or u.status in ('running', 'paused')) order by u.id desc limit ?`,
    [id, id, after, after, isOpen, first],
  );
  const time = (text: string | null) => (text === null ? null : new Date(text));
  return rows.map((row) => ({
    ...row,
    status: HaUpgradeStatus[row.status as keyof typeof HaUpgradeStatus],
    createdAt: new Date(row.createdAt),
    steps: (row.steps ?? []).map((step) => ({
      ...step,
      status: HaUpgradeStepStatus[step.status as keyof typeof HaUpgradeStepStatus],
      startedAt: time(step.startedAt),
      finishedAt: time(step.finishedAt),
    })),
  }));
}
