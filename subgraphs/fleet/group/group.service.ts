import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { z } from 'zod';

import { ApiError, invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { faultsIn, invalidFields, validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { GroupChanged } from '#schema/events.js';

import { Instance } from '../instance/instance.entity.js';
import { unknownInstances } from '../instance/unknown-instances.service.js';
import { GroupKind, InstanceGroup } from './group.entity.js';
import { instancesMatching } from './group.filter.js';
import {
  createInstanceGroupRules,
  updateInstanceGroupRules,
  type CreateInstanceGroupInput,
  type UpdateInstanceGroupInput,
} from './group.inputs.js';

const room: Room = { lock: 'fleet.instance_group', limit: 200, of: 'groups', reason: 'GROUPS_LIMIT' };

/** Of a static group: all of them are told whenever they change. */
const mostMembers = 10_000;

/** Groups of instances: listed by hand, or whoever a filter matches. */
export class GroupService {
  async get(operation: Operation, id: string): Promise<InstanceGroup> {
    return find(operation.em, operation.tenantId, id);
  }

  async page(operation: Operation, args: PageArgs): Promise<Page<InstanceGroup>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      InstanceGroup,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(InstanceGroup, { tenantId }));
  }

  async create(operation: Operation, input: CreateInstanceGroupInput): Promise<InstanceGroup> {
    const rules = await rulesOf(operation, createInstanceGroupRules, input);
    const { tenantId } = operation;
    const now = operation.clock.now();
    const isLive = rules.kind === GroupKind.LIVE;
    return named(() =>
      operation.write(async (write) => {
        await requireRoom(write.em, room, tenantId, async () => write.em.count(InstanceGroup, { tenantId }));
        const group = write.em.create(InstanceGroup, {
          tenantId,
          id: newId('group'),
          name: rules.name,
          kind: rules.kind,
          filter: isLive ? (rules.filter ?? null) : null,
          createdBy: viewerId(operation.requireViewer()),
          createdAt: now,
        });
        await write.em.flush();
        let members: readonly string[] | null = null;
        if (!isLive && rules.instanceIds) {
          members = rules.instanceIds;
          await setMembers(write, group, members);
        }
        if (!isLive && rules.filter) {
          const matching = await write.em.find(
            Instance,
            { $and: [{ tenantId }, instancesMatching(rules.filter, now)] },
            { fields: ['id'], disableIdentityMap: true },
          );
          members = matching.map(({ id }) => id);
          if (members.length > mostMembers)
            throw invalid('input.filter', `These are more than ${mostMembers} instances`);
          await insertMembers(write, group, members);
        }
        changed(write, group, { instanceIds: members });
        write.audit({ target: group.id });
        return group;
      }),
    );
  }

  async update(operation: Operation, input: UpdateInstanceGroupInput): Promise<InstanceGroup> {
    const rules = await rulesOf(operation, updateInstanceGroupRules, input);
    const { id, name, filter } = rules;
    return named(() =>
      operation.write(async (write) => {
        const group = await find(write.em, operation.tenantId, id, LockMode.PESSIMISTIC_WRITE);
        write.audit({ target: id });
        group.name = name ?? group.name;
        if (filter) {
          if (group.kind === GroupKind.STATIC) throw invalid('input.filter', 'A static group has no filter');
          group.filter = filter;
        }
        const members = await changeMembers(write, group, rules);
        changed(write, group, { instanceIds: members });
        return group;
      }),
    );
  }

  /** Its maintenance windows and its overrides of alert rules go with it. */
  async remove(operation: Operation, id: string): Promise<InstanceGroup> {
    const { tenantId } = operation;
    return operation.write(async (write) => {
      const { em, audit } = write;
      const group = await find(em, tenantId, id, LockMode.PESSIMISTIC_WRITE);
      audit({ target: id, changes: { name: group.name, deleted: true } });
      for (const table of ['instance_group_member', 'maintenance_window', 'alert_rule_override']) {
        await em.execute(`delete from fleet.${table} where tenant_id = ? and group_id = ?`, [tenantId, id]);
      }
      em.remove(group);
      changed(write, group, { instanceIds: null, isRemoved: true });
      return group;
    });
  }
}

/** Tells of a group as it is now. */
function changed(
  { publish }: Write,
  { tenantId, id, name, filter }: InstanceGroup,
  { instanceIds, isRemoved = false }: { instanceIds: readonly string[] | null; isRemoved?: boolean },
): void {
  publish({
    topic: 'fleet.group.changed',
    tenantId,
    entityId: id,
    payload: {
      groupId: id,
      name,
      filter,
      instanceIds: instanceIds && [...instanceIds],
      isRemoved,
    } satisfies GroupChanged,
  });
}

/** What is wrong by itself is told together with what is not of the fleet. */
async function rulesOf<Rules extends z.ZodType>(
  operation: Operation,
  rules: Rules,
  input: { instanceIds?: string[] | null; addInstanceIds?: string[] | null },
): Promise<z.infer<Rules>> {
  const faults = faultsIn(rules, input);
  if (Object.keys(faults).length === 0) return validate(rules, input);
  const { em, tenantId } = operation;
  throw invalidFields({
    ...(await unknownInstances(em, tenantId, input.instanceIds, 'input.instanceIds')),
    ...(await unknownInstances(em, tenantId, input.addInstanceIds, 'input.addInstanceIds')),
    ...faults,
  });
}

/** With `lock`, those who change the group come one after another. */
async function find(
  em: Write['em'],
  tenantId: string,
  id: string,
  lock: LockMode = LockMode.NONE,
): Promise<InstanceGroup> {
  const group = await em.findOne(InstanceGroup, { tenantId, id }, { lockMode: lock });
  if (!group) throw notFound('Group');
  return group;
}

interface MemberChanges {
  instanceIds?: readonly string[] | null | undefined;
  addInstanceIds?: readonly string[] | null | undefined;
  removeInstanceIds?: readonly string[] | null | undefined;
}

/** Of a group that is locked. Answers who is in it then, or null where that is as before. */
async function changeMembers(
  write: Write,
  group: InstanceGroup,
  { instanceIds, addInstanceIds, removeInstanceIds }: MemberChanges,
): Promise<readonly string[] | null> {
  const given = Object.entries({ instanceIds, addInstanceIds, removeInstanceIds }).filter(([, ids]) => ids);
  if (given.length === 0) return null;
  if (group.kind === GroupKind.LIVE)
    throw invalidFields(
      Object.fromEntries(
        given.map(([field]) => [`input.${field}`, 'A live group has no instances of its own']),
      ),
    );
  if (instanceIds) {
    await setMembers(write, group, instanceIds);
    return instanceIds;
  }
  const { tenantId, id } = group;
  if (removeInstanceIds) {
    await write.em.execute(
      `delete from fleet.instance_group_member where tenant_id = ? and group_id = ?
       and instance_id in (select jsonb_array_elements_text(?::jsonb))`,
      [tenantId, id, JSON.stringify(removeInstanceIds)],
    );
  }
  if (addInstanceIds) {
    const unknown = await unknownInstances(write.em, tenantId, addInstanceIds, 'input.addInstanceIds');
    if (Object.keys(unknown).length > 0) throw invalidFields(unknown);
    await insertMembers(write, group, addInstanceIds);
  }
  const rows = await write.em.execute<{ instance_id: string }[]>(
    'select instance_id from fleet.instance_group_member where tenant_id = ? and group_id = ? order by instance_id',
    [tenantId, id],
  );
  if (rows.length > mostMembers)
    throw invalid('input.addInstanceIds', `There would be more than ${mostMembers} instances in it`);
  return rows.map((row) => row.instance_id);
}

async function setMembers(write: Write, group: InstanceGroup, instanceIds: readonly string[]): Promise<void> {
  const { tenantId, id } = group;
  const unknown = await unknownInstances(write.em, tenantId, instanceIds, 'input.instanceIds');
  if (Object.keys(unknown).length > 0) throw invalidFields(unknown);
  await write.em.execute('delete from fleet.instance_group_member where tenant_id = ? and group_id = ?', [
    tenantId,
    id,
  ]);
  await insertMembers(write, group, instanceIds);
}

async function insertMembers(
  { em }: Write,
  { tenantId, id }: InstanceGroup,
  instanceIds: readonly string[],
): Promise<void> {
  await em.execute(
    `insert into fleet.instance_group_member (tenant_id, group_id, instance_id)
     select ?, ?, m.id from jsonb_to_recordset(?::jsonb) as m (id text) on conflict do nothing`,
    [tenantId, id, JSON.stringify(instanceIds.map((instanceId) => ({ id: instanceId })))],
  );
}

async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw new ApiError('CONFLICT', 'There is a group of this name already', { reason: 'NAME_TAKEN' });
  }
}
