import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import { deploymentEvent } from './change.service.js';
import { DeploymentStatus } from './deployment.status.js';
import { deploymentLabel } from './manifest.js';
import type { KubeDeployment } from './rollout.js';
import { seenFields, type SeenFields } from './seen.js';

/** Where a deployment is in its cluster. */
export interface Place {
  namespace: string;
  name: string;
}

export interface Seen {
  tenantId: string;
  clusterId: string;
  /** As they are now. */
  there: readonly KubeDeployment[];
  /** Those that are there no more; `null` where all that are not among those that are there are meant. */
  gone: readonly Place[] | null;
}

interface Row extends SeenFields, Place {
  id: string;
  version: string;
  isManaged: boolean;
  isDue: boolean;
}

export interface Keeping {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
  now: Date;
}

const told = [
  'image',
  'replicas',
  'readyReplicas',
  'updatedReplicas',
  'availableReplicas',
  'status',
  'reason',
  'message',
] as const;

/** Keeps what a watch told of a cluster's deployments, in a few statements whatever their number. */
export async function keepSeen({ em, publish, now }: Keeping, seen: Seen): Promise<void> {
  const { tenantId, clusterId, there, gone } = seen;
  const rows = await rowsOf(em, seen);
  const keyOf = ({ namespace, name }: Place) => `${namespace}/${name}`;
  const byPlace = new Map(rows.map((row) => [keyOf(row), row]));
  const changed: (SeenFields & { id: string })[] = [];
  const made: (SeenFields & Place & { id: string; createdAt: string })[] = [];
  const lost: Row[] = [];
  const found = new Set<string>();
  for (const each of there) {
    const { metadata } = each;
    const row = byPlace.get(keyOf(metadata));
    found.add(keyOf(metadata));
    if (row && isOvertaken(row, each)) continue;
    if (row && !(row.isManaged && metadata.labels?.[deploymentLabel] !== row.id)) {
      changed.push({ ...seenFields(each), id: row.id });
      continue;
    }
    // Somebody has put another in the place of the panel's.
    if (row) lost.push(row);
    const { namespace, name, creationTimestamp: createdAt } = metadata;
    made.push({ ...seenFields(each), id: newId('deployment'), namespace, name, createdAt });
  }
  const isGone = gone === null ? (row: Row) => !found.has(keyOf(row)) : matching(gone, keyOf);
  lost.push(...rows.filter((row) => !row.isDue && isGone(row)));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const tell = (
    answers: readonly { id: string; version: string }[],
    statusOf: (id: string) => DeploymentStatus,
  ) => {
    for (const { id, version } of answers)
      publish(
        deploymentEvent(
          { tenantId, clusterId, id, version, status: statusOf(id) },
          byId.get(id)?.status ?? null,
        ),
      );
  };
  if (lost.length > 0) {
    const ids = lost.map(({ id }) => id);
    const answers = await em.execute<{ id: string; version: string }[]>(
      `update hosting.deployment set status = 'DELETED', reason = null, message = null, deleted_at = ?, sealed_desired = null,
         due_at = null, version = version + 1
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb)) returning id, version::text as version`,
      [now, tenantId, JSON.stringify(ids)],
    );
    tell(answers, () => DeploymentStatus.DELETED);
  }
  const changes = new Map(changed.map((change) => [change.id, change]));
  if (changed.length > 0) {
    const answers = await em.execute<{ id: string; version: string }[]>(updateSql, [
      JSON.stringify(changed.map(columnsOf)),
      tenantId,
    ]);
    const isTold = (id: string) => told.some((field) => byId.get(id)![field] !== changes.get(id)![field]);
    tell(
      answers.filter(({ id }) => isTold(id)),
      (id) => changes.get(id)!.status,
    );
  }
  if (made.length > 0) {
    const answers = await em.execute<{ id: string; version: string }[]>(insertSql, [
      tenantId,
      clusterId,
      JSON.stringify(made.map(columnsOf)),
    ]);
    const byMade = new Map(made.map((each) => [each.id, each]));
    tell(answers, (id) => byMade.get(id)!.status);
  }
}

/** Whether a row knows better than a watch: what is on its way there, and what its own call has answered since. */
function isOvertaken(row: Row, { metadata }: KubeDeployment): boolean {
  if (row.isDue) return true;
  if (row.uid !== metadata.uid) return false;
  if (row.status === DeploymentStatus.DELETING && metadata.deletionTimestamp === undefined) return true;
  const [known, seen] = [row.resourceVersion, metadata.resourceVersion];
  if (known === seen) return true;
  // Versions are decimal numbers and may be compared since 1.35; before, what can not be is taken.
  const isNumber = (text: string | null): text is string => text !== null && /^\d{1,30}$/.test(text);
  return isNumber(known) && isNumber(seen) && BigInt(seen) < BigInt(known);
}

function matching(places: readonly Place[], keyOf: (place: Place) => string): (row: Row) => boolean {
  const keys = new Set(places.map(keyOf));
  return (row) => keys.has(keyOf(row));
}

async function rowsOf(em: SqlEntityManager, { tenantId, clusterId, there, gone }: Seen): Promise<Row[]> {
  const places = [...there.map(({ metadata }) => metadata), ...(gone ?? [])].map(({ namespace, name }) => ({
    namespace,
    name,
  }));
  const narrowed =
    gone === null
      ? ''
      : 'and (namespace, name) in (select namespace, name from jsonb_to_recordset(?::jsonb) as t(namespace text, name text))';
  return em.execute<Row[]>(
    `select id, version::text as version, namespace, name, uid, resource_version as "resourceVersion", is_managed as "isManaged",
       due_at is not null as "isDue", image, replicas, ready_replicas as "readyReplicas",
       updated_replicas as "updatedReplicas", available_replicas as "availableReplicas", status, reason, message
     from hosting.deployment where tenant_id = ? and cluster_id = ? and deleted_at is null ${narrowed}
     order by id for update`,
    [tenantId, clusterId, ...(gone === null ? [] : [JSON.stringify(places)])],
  );
}

const recordOf = `uid text, resource_version text, image text, replicas integer, ready_replicas integer,
  updated_replicas integer, available_replicas integer, status text, reason text, message text, id text`;

const updateSql = `update hosting.deployment d set uid = t.uid, resource_version = t.resource_version, image = t.image,
    replicas = t.replicas, ready_replicas = t.ready_replicas, updated_replicas = t.updated_replicas,
    available_replicas = t.available_replicas, status = t.status, reason = t.reason, message = t.message,
    version = d.version + 1
  from jsonb_to_recordset(?::jsonb) as t(${recordOf})
  where d.tenant_id = ? and d.id = t.id returning d.id, d.version::text as version`;

const insertSql = `insert into hosting.deployment (tenant_id, cluster_id, id, namespace, name, uid, resource_version,
    is_managed, image, replicas, ready_replicas, updated_replicas, available_replicas, status, reason, message, created_at)
  select ?, ?, t.id, t.namespace, t.name, t.uid, t.resource_version, false, t.image, t.replicas, t.ready_replicas,
    t.updated_replicas, t.available_replicas, t.status, t.reason, t.message, t.created_at
  from jsonb_to_recordset(?::jsonb) as t(${recordOf}, namespace text, name text, created_at timestamptz)
  on conflict (tenant_id, cluster_id, namespace, name) where deleted_at is null do nothing
  returning id, version::text as version`;

function columnsOf(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
