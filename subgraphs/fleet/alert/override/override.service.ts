import { LockMode } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import { advisoryLock } from '#platform/database/advisory-lock.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { invalidFields, validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { groupsNamed } from '../../group/group-members.service.js';
import { InstanceGroup } from '../../group/group.entity.js';
import type { AlertRuleKind } from '../alert.kinds.js';
import { AlertRuleOverride } from './override.entity.js';
import {
  lastPriority,
  mostOverrides,
  overrideAlertRuleRules,
  placeBehind,
  placesOf,
  replaceAlertRuleOverridesRules,
  sayPriority,
  type OverrideAlertRuleInput,
  type OverrideSettings,
  type ReplaceAlertRuleOverridesInput,
} from './override.inputs.js';

const room: Room = {
  lock: 'fleet.alert_rule_override',
  limit: mostOverrides,
  of: 'overrides of a rule',
  reason: 'OVERRIDES_LIMIT',
};

/** What groups of instances have otherwise than a rule says. */
export class AlertRuleOverrideService {
  /** Those of all rules, the first to go first; read once for an operation. */
  async all(operation: Operation): Promise<readonly AlertRuleOverride[]> {
    const { tenantId, em } = operation;
    return operation.once('overrides of alert rules', async () =>
      em.find(AlertRuleOverride, { tenantId }, { orderBy: { priority: 'asc' } }),
    );
  }

  async of(operation: Operation, kind: AlertRuleKind): Promise<AlertRuleOverride[]> {
    return (await this.all(operation)).filter((override) => override.kind === kind);
  }

  /** The group of an override; those of one operation are read together. */
  async groupOf(operation: Operation, { groupId }: AlertRuleOverride): Promise<InstanceGroup | null> {
    const { tenantId, em } = operation;
    const loader = operation.once('groups of overrides', () => {
      return new DataLoader<string, InstanceGroup | null>(async (ids) => {
        const byId = new Map((await groupsNamed(em, tenantId, ids)).map((group) => [group.id, group]));
        return ids.map((id) => byId.get(id) ?? null);
      });
    });
    return loader.load(groupId);
  }

  /** Sets it as a whole. Safe to repeat. */
  async set(operation: Operation, input: OverrideAlertRuleInput): Promise<AlertRuleOverride> {
    const { kind, groupId, priority, ...settings } = validate(overrideAlertRuleRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      // It stays until the override is there, and takes that with it when it goes.
      const group = await em.findOne(
        InstanceGroup,
        { tenantId, id: groupId },
        { lockMode: LockMode.PESSIMISTIC_READ },
      );
      if (!group) throw invalid('input.groupId', `There is no group ${groupId}`);
      const others = async () => em.count(AlertRuleOverride, { tenantId, kind, groupId: { $ne: groupId } });
      await requireRoom(em, room, tenantId, others);
      const existing = await em.findOne(AlertRuleOverride, { tenantId, kind, groupId });
      if (priority != null) await requireFree(em, { tenantId, kind, groupId, priority });
      const values = {
        priority: priority ?? existing?.priority ?? (await lastOf(em, tenantId, kind)),
        ...settingsOf(settings),
      };
      audit({ target: kind, changes: { groupId, groupName: group.name, ...values } });
      const override =
        existing ?? em.create(AlertRuleOverride, { tenantId, kind, groupId, ...values, ...by(operation) });
      return Object.assign(override, values, by(operation));
    });
  }

  /**
   * Makes these the overrides of a rule, all at once: nobody sees two that change places half-way. Those that are as they
   * were stay whose they are. Safe to repeat.
   */
  async replace(operation: Operation, input: ReplaceAlertRuleOverridesInput): Promise<void> {
    const { kind, overrides } = validate(replaceAlertRuleOverridesRules, input);
    const { tenantId } = operation;
    const ids = overrides.map(({ groupId }) => groupId);
    await operation.write(async ({ em, audit }) => {
      const groups = await em.find(
        InstanceGroup,
        { tenantId, id: { $in: ids } },
        { lockMode: LockMode.PESSIMISTIC_READ, orderBy: { id: 'asc' } },
      );
      const names = new Map(groups.map(({ id, name }) => [id, name]));
      const unknown = [...ids.entries()].filter(([, id]) => !names.has(id));
      if (unknown.length > 0)
        throw invalidFields(
          Object.fromEntries(
            unknown.map(([at, id]) => [`input.overrides.${at}.groupId`, `There is no group ${id}`]),
          ),
        );
      await advisoryLock(em, room.lock, tenantId);
      const places = placesOf(overrides);
      const wanted = overrides.map((one, at) => ({
        groupId: one.groupId,
        priority: places[at]!,
        ...settingsOf(one),
      }));
      const before = await em.find(AlertRuleOverride, { tenantId, kind }, { disableIdentityMap: true });
      const kept = new Set(
        before.filter((each) => wanted.some((one) => isSame(one, each))).map(({ groupId }) => groupId),
      );
      await em.nativeDelete(AlertRuleOverride, { tenantId, kind, groupId: { $nin: [...kept] } });
      for (const one of wanted.filter(({ groupId }) => !kept.has(groupId)))
        em.create(AlertRuleOverride, { tenantId, kind, ...one, ...by(operation) });
      audit({
        target: kind,
        changes: { overrides: wanted.map((one) => ({ ...one, groupName: names.get(one.groupId) })) },
      });
    });
  }

  /** Takes it away, and its group is as the rule says, or as the next override of it. Safe to repeat. */
  async remove(operation: Operation, kind: AlertRuleKind, groupId: string): Promise<void> {
    const { tenantId } = operation;
    await operation.write(async ({ em, audit }) => {
      if ((await em.count(InstanceGroup, { tenantId, id: groupId })) === 0) throw notFound('Group');
      const removed = await em.nativeDelete(AlertRuleOverride, { tenantId, kind, groupId });
      audit({ target: kind, changes: { groupId, removed: removed > 0 } });
    });
  }
}

/** What is left out is as the rule says. */
const settingsOf = (given: Partial<OverrideSettings>) => ({
  isEnabled: given.isEnabled ?? null,
  severity: given.severity ?? null,
  threshold: given.threshold ?? null,
  forSeconds: given.forSeconds ?? null,
  keepFiringForSeconds: given.keepFiringForSeconds ?? null,
});

function isSame(wanted: Partial<AlertRuleOverride>, existing: AlertRuleOverride): boolean {
  const fields = Object.keys(wanted) as (keyof AlertRuleOverride)[];
  return fields.every((field) => wanted[field] === existing[field]);
}

const by = (operation: Operation) => ({
  updatedAt: operation.clock.now(),
  updatedBy: viewerId(operation.requireViewer()),
});

interface Place extends Pick<AlertRuleOverride, 'tenantId' | 'kind' | 'groupId' | 'priority'> {}

/** Of those who set overrides in turns. */
async function requireFree(em: Write['em'], { tenantId, kind, groupId, priority }: Place): Promise<void> {
  const other = await em.findOne(AlertRuleOverride, { tenantId, kind, priority, groupId: { $ne: groupId } });
  if (!other) return;
  const group = await em.findOne(InstanceGroup, { tenantId, id: other.groupId });
  throw new ApiError(
    'CONFLICT',
    `The override for the group ${group?.name} has the priority ${priority} already`,
    {
      reason: 'PRIORITY_TAKEN',
      details: { groupId: other.groupId },
    },
  );
}

/** The place behind all others. */
async function lastOf(em: Write['em'], tenantId: string, kind: AlertRuleKind): Promise<number> {
  const [last] = await em.find(
    AlertRuleOverride,
    { tenantId, kind },
    { orderBy: { priority: 'desc' }, limit: 1 },
  );
  const before = last?.priority ?? 0;
  const place = placeBehind(before);
  if (place > lastPriority) throw invalid('input.priority', sayPriority(before));
  return place;
}
