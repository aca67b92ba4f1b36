import { LockMode, type FilterQuery } from '@mikro-orm/core';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { invalid, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { InstanceDecommissioned, InstanceUpdated } from '#schema/events.js';

import { lockCommand, move, settle } from '../command/command-progress.service.js';
import { endStatuses, InvocationStatus } from '../command/command.status.js';
import { CommandInvocation } from '../command/invocation.entity.js';
import { contains } from '../group/group.filter.js';
import { Instance } from '../instance/instance.entity.js';
import { instancesCounted } from '../summary/summary.service.js';
import { allGenerations, revokeCredentials } from './credential-revocation.service.js';
import { FormerInstance } from './former-instance.entity.js';
import {
  mostTags,
  updateInstanceRules,
  type FormerInstanceFilter,
  type UpdateInstanceInput,
} from './lifecycle.inputs.js';

/** Instances that are renamed, tagged, and leave. */
export class LifecycleService {
  constructor(private readonly entitlements: Entitlements) {}

  async update(operation: Operation, input: UpdateInstanceInput): Promise<Instance> {
    const { id, name, ...tagging } = validate(updateInstanceRules, input);
    return operation.write(async ({ em, publish, audit }) => {
      const instance = await lockInstance(em, operation.tenantId, id);
      instance.name = name ?? instance.name;
      instance.tags = tagged(instance.tags, tagging);
      audit({ target: id, changes: { name: instance.name, tags: instance.tags } });
      publish({
        topic: 'fleet.instance.updated',
        tenantId: operation.tenantId,
        entityId: id,
        payload: {
          instanceId: id,
          name: instance.name,
          tags: instance.tags,
        } satisfies InstanceUpdated,
      });
      return instance;
    });
  }

  /**
   * Takes an instance out of the fleet for good: its credential is refused from the very next call on, its place under
   * the plan's limit is free, and commands that wait for it end. Its metrics, alerts and commands stay as they are.
   */
  async decommission(operation: Operation, id: string): Promise<FormerInstance> {
    const { tenantId } = operation;
    const now = operation.clock.now();
    return operation.write(async (write) => {
      const { em, publish, audit } = write;
      // Before the instance's own lock, in the order in which enrollments and re-enrollments take them.
      await this.entitlements.lock(em, tenantId, 'instances');
      await revokeTokens(em, { tenantId, instanceId: id }, now);
      const instance = await lockInstance(em, tenantId, id);
      const former = em.create(FormerInstance, {
        tenantId,
        id,
        name: instance.name,
        hostname: instance.hostname,
        version: instance.version,
        tags: instance.tags,
        enrolledAt: instance.enrolledAt,
        lastSeenAt: instance.lastSeenAt,
        decommissionedAt: now,
        decommissionedBy: viewerId(operation.requireViewer()),
      });
      em.remove(instance);
      await em.flush();
      await em.execute('delete from fleet.instance_group_member where tenant_id = ? and instance_id = ?', [
        tenantId,
        id,
      ]);
      await revokeCredentials(write, { tenantId, instanceId: id, belowGeneration: allGenerations }, now);
      await endCommands(write, { tenantId, instanceId: id }, now);
      publish({
        topic: 'fleet.instance.decommissioned',
        tenantId,
        entityId: id,
        payload: { instanceId: id, name: former.name } satisfies InstanceDecommissioned,
      });
      publish(await instancesCounted(em, tenantId));
      audit({ target: id, changes: { name: former.name, decommissioned: true } });
      return former;
    });
  }

  /** One that has left the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async former({ em, tenantId }: Operation, id: string): Promise<FormerInstance> {
    const former = await em.findOne(FormerInstance, { tenantId, id });
    if (!former) throw notFound('Former instance');
    return former;
  }

  /** In the order in which they had enrolled. */
  async formerPage(
    { em, tenantId }: Operation,
    args: PageArgs,
    filter: FormerInstanceFilter | null | undefined,
  ): Promise<Page<FormerInstance>> {
    const window = pageWindow(args);
    const { since, q } = filter ?? {};
    const matching: FilterQuery<FormerInstance> = {
      tenantId,
      ...(since ? { decommissionedAt: { $gte: since } } : {}),
      ...(q ? { $or: [{ name: contains(q) }, { hostname: contains(q) }] } : {}),
    };
    const rows = await em.find(
      FormerInstance,
      { $and: [matching, window.after === undefined ? {} : { id: { $gt: window.after } }] },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => em.count(FormerInstance, matching));
  }
}

async function lockInstance(em: Write['em'], tenantId: string, id: string): Promise<Instance> {
  const instance = await em.findOne(Instance, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!instance) throw notFound('Instance');
  return instance;
}

/** Those by which a node could come back as this instance. */
async function revokeTokens(
  em: Write['em'],
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  now: Date,
): Promise<void> {
  await em.execute(
    `update fleet.enrollment_token set revoked_at = ?, revoked_reason = 'INSTANCE_REMOVED'
     where tenant_id = ? and instance_id = ? and revoked_at is null`,
    [now, tenantId, instanceId],
  );
}

async function endCommands(
  { em, publish }: Write,
  key: { tenantId: string; instanceId: string },
  now: Date,
): Promise<void> {
  const open = { $nin: [...endStatuses] };
  const found = await em.find(CommandInvocation, { ...key, status: open }, { orderBy: { commandId: 'asc' } });
  const commandIds = found.map(({ commandId }) => commandId);
  em.clear();
  for (const commandId of commandIds) {
    const command = await lockCommand(em, key.tenantId, commandId);
    const invocation = await em.findOne(CommandInvocation, { ...key, commandId, status: open });
    if (!command || !invocation) continue;
    move(command, invocation, InvocationStatus.UNDELIVERABLE, now);
    await settle({ em, now, publish }, command, [invocation]);
  }
}

type Tagging = Pick<UpdateInstanceInput, 'tags' | 'addTags' | 'removeTags'>;

function tagged(before: readonly string[], { tags, addTags, removeTags }: Tagging): string[] {
  const kept = before.filter((tag) => !removeTags?.includes(tag));
  const after = [...new Set(tags ?? [...kept, ...(addTags ?? [])])];
  if (addTags?.length && after.length > mostTags) throw invalid('input.addTags', `At most ${mostTags} tags`);
  return after;
}
