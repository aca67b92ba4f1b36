import { newId } from '#platform/ids.js';

import type { WatcherWrite } from '../cluster/watch/held.job.js';
import { deploymentEvent } from './change.service.js';
import { DeploymentStatus } from './deployment.status.js';
import { insertSql, lostSql, meanwhileSql, recordsOf, updateSql } from './keep-seen.sql.js';
import { isLater, type KubeDeployment } from './kube-deployment.js';
import { deploymentLabel } from './manifest.js';
import { knownBetter, seenFields, type SeenFields, type SeenMeanwhile } from './seen.js';

/** Where a deployment was, and which. */
export interface Gone {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
}

export interface Seen {
  tenantId: string;
  clusterId: string;
  /** As they are now, one for a place. */
  there: readonly KubeDeployment[];
  gone: readonly Gone[];
}

interface Row extends SeenFields {
  id: string;
  namespace: string;
  name: string;
  version: string;
  isManaged: boolean;
  isDue: boolean;
}

type Place = Pick<Row, 'namespace' | 'name'>;

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

const keyOf = ({ namespace, name }: Place): string => `${namespace}/${name}`;

/** Keeps what a watch told of a cluster's deployments, in a few statements whatever their number. */
export async function keepSeen(write: WatcherWrite, seen: Seen): Promise<void> {
  const rows = await rowsOf(write, seen);
  await keep(write, seen, sorted(rows, seen));
}

interface Sorted {
  rows: ReadonlyMap<string, Row>;
  changed: (SeenFields & { id: string })[];
  made: (SeenFields & Place & { id: string; createdAt: string })[];
  lost: string[];
  meanwhile: Map<string, SeenMeanwhile>;
}

/** What becomes of each row by what was seen. */
function sorted(rows: readonly Row[], { there, gone }: Seen): Sorted {
  const byPlace = new Map(rows.map((row) => [keyOf(row), row]));
  const result: Sorted = {
    rows: new Map(rows.map((row) => [row.id, row])),
    changed: [],
    made: [],
    lost: [],
    meanwhile: new Map(),
  };
  for (const each of gone) {
    const row = byPlace.get(keyOf(each));
    // What is gone is told by its uid: another may be in its place since.
    if (row?.uid !== each.uid) continue;
    if (row.isDue)
      result.meanwhile.set(row.id, { uid: each.uid, resourceVersion: each.resourceVersion, fields: null });
    else if (!isLater(row.resourceVersion ?? '0', each.resourceVersion)) {
      result.lost.push(row.id);
      byPlace.delete(keyOf(each));
    }
  }
  for (const each of there) place(each, byPlace.get(keyOf(each.metadata)), result);
  return result;
}

function place(each: KubeDeployment, row: Row | undefined, result: Sorted): void {
  const { metadata } = each;
  const fields = seenFields(each);
  const isRows =
    row !== undefined &&
    (row.isManaged ? metadata.labels?.[deploymentLabel] === row.id : row.uid === metadata.uid);
  if (row?.isDue) {
    const { uid, resourceVersion } = metadata;
    if (isRows) result.meanwhile.set(row.id, { uid, resourceVersion, fields });
    return;
  }
  if (row && (row.resourceVersion === metadata.resourceVersion || isOvertaken(row, each))) return;
  if (row && isRows) {
    result.changed.push({ ...knownBetter(row, fields), id: row.id });
    return;
  }
  // Somebody has put another in its place.
  if (row) result.lost.push(row.id);
  const { namespace, name, creationTimestamp: createdAt } = metadata;
  result.made.push({ ...fields, id: newId('deployment'), namespace, name, createdAt });
}

/** Whether what a row has by its own call is later than what a watch tells. */
function isOvertaken({ resourceVersion }: Row, { metadata }: KubeDeployment): boolean {
  return resourceVersion !== null && isLater(resourceVersion, metadata.resourceVersion);
}

async function keep(
  { em, publish, now }: WatcherWrite,
  { tenantId, clusterId }: Seen,
  { rows, changed, made, lost, meanwhile }: Sorted,
): Promise<void> {
  const tell = (
    answers: readonly { id: string; version: string }[],
    statusOf: (id: string) => DeploymentStatus,
  ) => {
    for (const { id, version } of answers) {
      const from = rows.get(id)?.status ?? null;
      publish(deploymentEvent({ tenantId, clusterId, id, version, status: statusOf(id) }, from));
    }
  };
  const run = async (sql: string, values: readonly (string | Date)[]) =>
    em.execute<{ id: string; version: string }[]>(sql, [...values]);
  if (meanwhile.size > 0)
    await run(meanwhileSql, [JSON.stringify([...meanwhile].map(([id, seen]) => ({ id, seen }))), tenantId]);
  if (lost.length > 0)
    tell(await run(lostSql, [now, tenantId, JSON.stringify(lost)]), () => DeploymentStatus.DELETED);
  if (changed.length > 0) {
    const changes = new Map(changed.map((change) => [change.id, change]));
    const isTold = (id: string) => told.some((field) => rows.get(id)![field] !== changes.get(id)![field]);
    const answers = await run(updateSql, [recordsOf(changed), tenantId]);
    tell(
      answers.filter(({ id }) => isTold(id)),
      (id) => changes.get(id)!.status,
    );
  }
  if (made.length > 0) {
    const byId = new Map(made.map((each) => [each.id, each]));
    tell(await run(insertSql, [tenantId, clusterId, recordsOf(made)]), (id) => byId.get(id)!.status);
  }
}

/** A part of a cluster's rows, against all that a list had. */
export interface ListedRows {
  tenantId: string;
  clusterId: string;
  /** The uids of all that were there. */
  found: ReadonlySet<string>;
  /** As of when. */
  listVersion: string;
  after: string;
}

const rowsAtOnce = 1_000;

/** Ends rows of what a list had no more; the id to go on after, until there is none. */
export async function keepGone(write: WatcherWrite, listed: ListedRows): Promise<string | undefined> {
  const { tenantId, clusterId, found, listVersion, after } = listed;
  const rows = await write.em.execute<Row[]>(
    `select ${columns} from hosting.deployment
     where tenant_id = ? and cluster_id = ? and deleted_at is null and id > ? order by id limit ${rowsAtOnce} for update`,
    [tenantId, clusterId, after],
  );
  // What was made while the list was on its way is later than it; what was never seen is not missed.
  const gone = rows.flatMap(({ uid, namespace, name, resourceVersion }) =>
    uid === null || found.has(uid) || isLater(resourceVersion ?? '0', listVersion)
      ? []
      : [{ uid, namespace, name, resourceVersion: listVersion }],
  );
  const of = { tenantId, clusterId, there: [], gone };
  if (gone.length > 0) await keep(write, of, sorted(rows, of));
  return rows.length < rowsAtOnce ? undefined : rows.at(-1)!.id;
}

const columns = `id, version::text as version, namespace, name, uid, resource_version as "resourceVersion",
  is_managed as "isManaged", due_at is not null as "isDue", image, replicas, ready_replicas as "readyReplicas",
  updated_replicas as "updatedReplicas", available_replicas as "availableReplicas", status, reason, message`;

async function rowsOf({ em }: WatcherWrite, { tenantId, clusterId, there, gone }: Seen): Promise<Row[]> {
  const places = [...there.map(({ metadata }) => metadata), ...gone];
  return em.execute<Row[]>(
    `select ${columns} from hosting.deployment
     where tenant_id = ? and cluster_id = ? and deleted_at is null and (namespace, name) in
       (select namespace, name from jsonb_to_recordset(?::jsonb) as t(namespace text, name text))
     order by id for update`,
    [tenantId, clusterId, JSON.stringify(places.map(({ namespace, name }) => ({ namespace, name })))],
  );
}
