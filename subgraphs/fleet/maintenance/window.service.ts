import { invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { membersOf } from '../group/group-members.service.js';
import { InstanceGroup } from '../group/group.entity.js';
import { Instance } from '../instance/instance.entity.js';
import { MaintenanceWindow, WindowRepeat } from './window.entity.js';
import { createMaintenanceWindowRules, type CreateMaintenanceWindowInput } from './window.inputs.js';
import { mayBegin } from './window.rules.js';

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
  em: Write['em'],
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  now: Date,
): Promise<boolean> {
  const windows = await em.find(MaintenanceWindow, { tenantId });
  if (windows.length === 0) return true;
  const groupIds = [...new Set(windows.flatMap(({ groupId }) => groupId ?? []))];
  const groups = await em.find(InstanceGroup, { tenantId, id: { $in: groupIds } });
  const mine = new Set<string | null>([null]);
  for (const group of groups) {
    const members = await membersOf(em, group, now);
    if ((await em.count(Instance, { $and: [{ tenantId, id: instanceId }, members] })) > 0) mine.add(group.id);
  }
  return mayBegin(
    windows.filter(({ groupId }) => mine.has(groupId)),
    now,
  );
}
