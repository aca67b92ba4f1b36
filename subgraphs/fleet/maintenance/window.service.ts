import type { Database } from '#platform/database/database.js';
import { invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { groupsOf } from '../group/group-members.service.js';
import { InstanceGroup } from '../group/group.entity.js';
import { MaintenanceWindow, WindowEffect, WindowRepeat } from './window.entity.js';
import { createMaintenanceWindowRules, type CreateMaintenanceWindowInput } from './window.inputs.js';
import { matters, mayBegin, type WindowTimes } from './window.rules.js';

const mostWindows = 100;

/** The times in which commands may begin. */
export class MaintenanceWindowService {
  async page(operation: Operation, args: PageArgs): Promise<Page<MaintenanceWindow>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      MaintenanceWindow,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(MaintenanceWindow, { tenantId }));
  }

  async create(operation: Operation, input: CreateMaintenanceWindowInput): Promise<MaintenanceWindow> {
    const rules = validate(createMaintenanceWindowRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      if (rules.groupId && (await em.count(InstanceGroup, { tenantId, id: rules.groupId })) === 0) {
        throw invalid('input.groupId', `There is no group ${rules.groupId}`);
      }
      if ((await em.count(MaintenanceWindow, { tenantId })) >= mostWindows) {
        throw invalid('input', `There are ${mostWindows} maintenance windows already`);
      }
      const window = em.create(MaintenanceWindow, {
        tenantId,
        id: newId('maintenanceWindow'),
        name: rules.name,
        effect: rules.effect,
        groupId: rules.groupId ?? null,
        startsAt: rules.startsAt,
        durationMinutes: rules.durationMinutes,
        repeats: rules.repeats ?? WindowRepeat.NEVER,
        createdBy: viewerId(operation.requireViewer()),
        createdAt: operation.clock.now(),
      });
      audit({ target: window.id });
      return window;
    });
  }

  async remove(operation: Operation, id: string): Promise<MaintenanceWindow> {
    return operation.write(async ({ em, audit }) => {
      const window = await em.findOne(MaintenanceWindow, { tenantId: operation.tenantId, id });
      if (!window) throw notFound('Maintenance window');
      audit({ target: id, changes: { name: window.name, deleted: true } });
      em.remove(window);
      return window;
    });
  }
}

/** Whether a command may begin now on an instance. Asked only when one waits for it. */
export async function isInWindow(
  database: Database,
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  now: Date,
): Promise<boolean> {
  const all = await database.select<WindowTimes & { groupId: string | null }>(
    tenantId,
    `select effect, group_id as "groupId", starts_at as "startsAt", duration_minutes as "durationMinutes", repeats
     from fleet.maintenance_window where tenant_id = ?`,
    [tenantId],
  );
  const windows = all.filter((window) => matters(window, now));
  const general = windows.filter(({ groupId }) => groupId === null);
  if (general.some(({ effect }) => effect === WindowEffect.DENY)) return false;
  const groupIds = [...new Set(windows.flatMap(({ groupId }) => groupId ?? []))];
  if (groupIds.length === 0) return mayBegin(general, now);
  const mine = await groupsOf(database, { tenantId, instanceId }, groupIds, now);
  return mayBegin(
    windows.filter(({ groupId }) => groupId === null || mine.has(groupId)),
    now,
  );
}
