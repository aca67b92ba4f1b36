import type { Database } from '#platform/database/database.js';

import { groupsOf } from '../group/group-members.service.js';
import { WindowEffect } from './window.entity.js';
import { matters, mayBegin, type HoldingWindow } from './window.rules.js';

/** Whether a command may begin now on an instance. Asked only when one waits for it. */
export async function isInWindow(
  database: Database,
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  now: Date,
): Promise<boolean> {
  const windows = (await windowsOf(database, tenantId)).filter((window) => matters(window, now));
  const general = windows.filter(({ groupId }) => groupId === null);
  if (general.some(({ effect }) => effect === WindowEffect.DENY)) return false;
  const mine = await windowsByInstance(database, { tenantId, instanceIds: [instanceId] }, windows, now);
  return mayBegin(mine(instanceId), now);
}

/** All of a tenant's windows: there are at most a hundred. */
export async function windowsOf(database: Database, tenantId: string): Promise<HoldingWindow[]> {
  return database.select<HoldingWindow>(
    tenantId,
    `select id, name, effect, group_id as "groupId", starts_at as "startsAt", duration_minutes as "durationMinutes",
       repeats, time_zone as "timeZone", days, week_of_month as "weekOfMonth", ends_at as "endsAt"
     from fleet.maintenance_window where tenant_id = ? order by id`,
    [tenantId],
  );
}

/** Which of the windows are for each of the instances: those for all, and those of its groups now. */
export async function windowsByInstance<Window extends Pick<HoldingWindow, 'groupId'>>(
  database: Database,
  instances: { tenantId: string; instanceIds: readonly string[] },
  windows: readonly Window[],
  now: Date,
): Promise<(instanceId: string) => readonly Window[]> {
  const groupIds = [...new Set(windows.flatMap(({ groupId }) => groupId ?? []))];
  if (groupIds.length === 0) return () => windows;
  const groups = await groupsOf(database, instances, groupIds, now);
  return (instanceId) =>
    windows.filter(({ groupId }) => groupId === null || groups.get(instanceId)?.has(groupId));
}
