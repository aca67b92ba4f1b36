import type { SqlEntityManager } from '#platform/database/database.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type {
  FactsChanged,
  InstanceChanged,
  InstanceDecommissioned,
  InstanceEnrolled,
  InstanceUpdated,
} from '#schema/events.js';

import { flatten, reportedMark, type Facts } from '../fact/flatten.js';
import { evaluateNodes, nodeColumns, type NodeColumns, type NodeRow } from '../result/evaluation.service.js';

/** What fleet's events make of an instance as governance knows it; undefined where they change nothing. */
type Change = Partial<Pick<NodeRow, 'name' | 'hostname' | 'status' | 'tags' | 'facts' | 'offlineSince'>> & {
  reportedAt?: string;
};

/** Knows the instances of tenants as fleet tells of them, and judges each anew when something about it changes. */
export const followNodes: Consumer = {
  topics: [
    'fleet.instance.enrolled',
    'fleet.instance.updated',
    'fleet.facts.changed',
    'fleet.instance.changed',
    'fleet.instance.decommissioned',
  ],
  async handle({ em, event, now, publish }) {
    const { tenantId, entityId: id } = event;
    if (event.topic === 'fleet.instance.decommissioned') {
      const { instanceId } = event.payload as unknown as InstanceDecommissioned;
      await em.execute('delete from governance.node where tenant_id = ? and id = ?', [tenantId, instanceId]);
      // Its canary counts it out at once. Locked before its members, as whoever leads it does.
      await em.execute(
        `update governance.canary set due_at = least(due_at, ?) where tenant_id = ? and finished_at is null and id =
           (select canary_id from governance.canary_member where tenant_id = ? and instance_id = ? and is_open)`,
        [now, tenantId, tenantId, instanceId],
      );
      // What is under way there ends by its command.
      await em.execute(
        `update governance.canary_member set status = 'GONE'
         where tenant_id = ? and instance_id = ? and is_open and status in ('WAITING', 'UPDATED', 'FAILED', 'UNREACHED', 'REFUSED')`,
        [tenantId, instanceId],
      );
      return;
    }
    if (event.topic === 'fleet.instance.enrolled' || event.topic === 'fleet.instance.updated') {
      const { name } = event.payload as unknown as InstanceUpdated;
      await em.execute(
        `insert into governance.node (tenant_id, id, name) values (?, ?, ?) on conflict do nothing`,
        [tenantId, id, name],
      );
    }
    const node = await lockNode(em, tenantId, id);
    const change = node && changeBy(event.topic, event.payload, node, event.occurredAt);
    if (!node || !change) return;
    await evaluateNodes({ em, now, publish }, tenantId, [{ ...node, ...change, told: columnsOf(change) }]);
  },
};

function columnsOf({ offlineSince, reportedAt, name, hostname, status, tags, facts }: Change): NodeColumns {
  return {
    ...(name === undefined ? {} : { name }),
    ...(hostname ? { hostname } : {}),
    ...(status ? { status } : {}),
    ...(tags ? { tags } : {}),
    ...(facts ? { facts } : {}),
    ...(reportedAt === undefined ? {} : { reported_at: reportedAt }),
    ...(offlineSince === undefined
      ? {}
      : { is_moved: true, offline_since: offlineSince === null ? null : new Date(offlineSince) }),
  };
}

async function lockNode(em: SqlEntityManager, tenantId: string, id: string): Promise<NodeRow | undefined> {
  const [node] = await em.execute<NodeRow[]>(
    `select ${nodeColumns} from governance.node where tenant_id = ? and id = ? for update`,
    [tenantId, id],
  );
  return node;
}

function changeBy(
  topic: string,
  payload: Record<string, unknown>,
  node: NodeRow,
  occurredAt: Date,
): Change | undefined {
  switch (topic) {
    case 'fleet.instance.enrolled': {
      const { name, hostname, tags = node.tags, version } = payload as unknown as InstanceEnrolled;
      // One that never beat counts as offline.
      const status = node.status ?? 'OFFLINE';
      const facts = withVersion(tagged(node.facts, tags), version);
      return { name, hostname, status, tags, facts: withStatus(facts, status) };
    }
    case 'fleet.instance.updated': {
      const {
        name,
        tags,
        hostname = node.hostname,
        status = node.status,
      } = payload as unknown as InstanceUpdated;
      return { name, tags, hostname, status, facts: withStatus(tagged(node.facts, tags), status) };
    }
    case 'fleet.facts.changed': {
      const { version, facts, reportedAt } = payload as unknown as FactsChanged;
      const known = facts === null ? node.facts : replaced(node.facts, facts);
      return { facts: withVersion(known, version), reportedAt };
    }
    case 'fleet.instance.changed': {
      const { to: status } = payload as unknown as InstanceChanged;
      const isOffline = status === 'OFFLINE';
      const change = { status, facts: withStatus(node.facts, status) };
      if (isOffline !== (node.offlineSince !== null))
        return { ...change, offlineSince: isOffline ? occurredAt : null };
      const isTold = change.facts['instance.status'] === node.facts['instance.status'];
      return status === node.status && isTold ? undefined : change;
    }
    default:
      return undefined;
  }
}

function tagged(facts: Facts, tags: readonly string[]): Facts {
  return { ...facts, 'instance.tags': tags };
}

function withStatus(facts: Facts, status: string | null): Facts {
  return status === null
    ? facts
    : { ...facts, 'instance.status': status === 'OFFLINE' ? 'offline' : 'online' };
}

function withVersion(facts: Facts, version: string | undefined): Facts {
  return version === undefined ? facts : { ...facts, 'cloud_os.version': version };
}

/** What a node reports takes the place of all that it reported; what the panel knows stays. */
function replaced(before: Facts, reported: Record<string, unknown>): Facts {
  const panel = Object.entries(before).filter(
    ([path]) => path.startsWith('instance.') || path === 'cloud_os.version',
  );
  return { ...flatten(reported), ...Object.fromEntries(panel), [reportedMark]: true };
}
