import { LockMode } from '@mikro-orm/core';

import { invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { InstanceGroup } from '../group/group.entity.js';
import { inOrder, weeksOf, type Recurrence } from './recurrence.js';
import { MaintenanceWindow, WindowRepeat } from './window.entity.js';
import {
  createMaintenanceWindowRules,
  type CreateMaintenanceWindowInput,
  type UpdateMaintenanceWindowInput,
} from './window.inputs.js';
import { isTimeZone } from './window.rules.js';

const room: Room = {
  lock: 'fleet.maintenance_window',
  limit: 100,
  of: 'maintenance windows',
  reason: 'WINDOWS_LIMIT',
};

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

  /** A window of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get({ em, tenantId }: Operation, id: string): Promise<MaintenanceWindow> {
    const window = await em.findOne(MaintenanceWindow, { tenantId, id });
    if (!window) throw notFound('Maintenance window');
    return window;
  }

  async create(operation: Operation, input: CreateMaintenanceWindowInput): Promise<MaintenanceWindow> {
    const rules = validate(createMaintenanceWindowRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      await requireGroup(em, tenantId, rules.groupId);
      await requireRoom(em, room, tenantId, async () => em.count(MaintenanceWindow, { tenantId }));
      const window = em.create(MaintenanceWindow, {
        tenantId,
        id: newId('maintenanceWindow'),
        name: rules.name,
        effect: rules.effect,
        groupId: rules.groupId ?? null,
        durationMinutes: rules.durationMinutes,
        ...scheduleOf(rules),
        createdBy: viewerId(operation.requireViewer()),
        createdAt: operation.clock.now(),
      });
      audit({ target: window.id });
      return window;
    });
  }

  /** What is left out stays; the whole is judged as a new one would be. */
  async update(
    operation: Operation,
    { id, ...input }: UpdateMaintenanceWindowInput,
  ): Promise<MaintenanceWindow> {
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      const window = await find(em, tenantId, id);
      const { name, effect, groupId, startsAt, durationMinutes, repeats, timeZone } = window;
      const times = {
        startsAt: input.startsAt ?? startsAt,
        repeats: input.repeats ?? repeats,
        timeZone: input.timeZone ?? timeZone,
      };
      const rules = validate(createMaintenanceWindowRules, {
        name: input.name ?? name,
        effect: input.effect ?? effect,
        groupId: input.groupId === undefined ? groupId : input.groupId,
        durationMinutes: input.durationMinutes ?? durationMinutes,
        ...times,
        ...stillOf(window, times, input),
      });
      if (rules.groupId !== groupId) await requireGroup(em, tenantId, rules.groupId);
      const schedule = scheduleOf(rules);
      Object.assign(window, rules, schedule);
      const [begins, ends] = [rules.startsAt.toISOString(), schedule.endsAt?.toISOString() ?? null];
      audit({ target: id, changes: { ...rules, ...schedule, startsAt: begins, endsAt: ends } });
      return window;
    });
  }

  async remove(operation: Operation, id: string): Promise<MaintenanceWindow> {
    return operation.write(async ({ em, audit }) => {
      const window = await find(em, operation.tenantId, id);
      audit({ target: id, changes: { name: window.name, deleted: true } });
      em.remove(window);
      return window;
    });
  }
}

type Rules = ReturnType<typeof createMaintenanceWindowRules.parse>;

/** When it is, with what was left out as it is by itself. */
function scheduleOf({ startsAt, ...rules }: Rules): Recurrence {
  const repeats = rules.repeats ?? WindowRepeat.NEVER;
  const timeZone = rules.timeZone ?? 'UTC';
  const isMonthly = repeats === WindowRepeat.MONTHLY;
  return {
    startsAt,
    repeats,
    timeZone,
    days: rules.days ? inOrder(rules.days) : null,
    weekOfMonth: isMonthly ? (rules.weekOfMonth ?? weeksOf(startsAt, timeZone)[0]!) : null,
    endsAt: rules.endsAt ?? null,
  };
}

/** What stays of how it came again, where it comes again so and begins on such a day; what the input tells goes before. */
function stillOf(
  window: MaintenanceWindow,
  { startsAt, repeats, timeZone }: Pick<Recurrence, 'startsAt' | 'repeats' | 'timeZone'>,
  input: Omit<UpdateMaintenanceWindowInput, 'id'>,
): Pick<Rules, 'days' | 'weekOfMonth' | 'endsAt'> {
  const week = window.weekOfMonth as Rules['weekOfMonth'];
  const weeks = repeats === WindowRepeat.MONTHLY && isTimeZone(timeZone) ? weeksOf(startsAt, timeZone) : [];
  const still = {
    days: repeats === WindowRepeat.WEEKLY ? window.days : null,
    weekOfMonth: week && weeks.includes(week) ? week : null,
    endsAt: repeats === WindowRepeat.NEVER ? null : window.endsAt,
  };
  return {
    days: input.days === undefined ? still.days : input.days,
    weekOfMonth: (input.weekOfMonth as Rules['weekOfMonth']) ?? still.weekOfMonth,
    endsAt: input.endsAt === undefined ? still.endsAt : input.endsAt,
  };
}

async function find(em: Write['em'], tenantId: string, id: string): Promise<MaintenanceWindow> {
  const window = await em.findOne(
    MaintenanceWindow,
    { tenantId, id },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!window) throw notFound('Maintenance window');
  return window;
}

async function requireGroup(em: Write['em'], tenantId: string, id: string | null | undefined): Promise<void> {
  if (!id || (await em.count(InstanceGroup, { tenantId, id })) > 0) return;
  throw invalid('input.groupId', `There is no group ${id}`);
}
