/** How many rows are written at once does not change how many statements it takes. */
const recordOf = `uid text, resource_version text, image text, replicas integer, ready_replicas integer,
  updated_replicas integer, available_replicas integer, status text, reason text, message text, id text`;

const answers = 'd.id, d.version::text as version';

export const updateSql = `update hosting.deployment d set uid = t.uid, resource_version = t.resource_version, image = t.image,
    replicas = t.replicas, ready_replicas = t.ready_replicas, updated_replicas = t.updated_replicas,
    available_replicas = t.available_replicas, status = t.status, reason = t.reason, message = t.message,
    version = d.version + 1
  from jsonb_to_recordset(?::jsonb) as t(${recordOf})
  where d.tenant_id = ? and d.id = t.id returning ${answers}`;

export const lostSql = `update hosting.deployment d set status = 'DELETED', reason = null, message = null, deleted_at = ?,
    sealed_desired = null, sealed_taken = null, due_at = null, seen_meanwhile = null, version = d.version + 1
  where d.tenant_id = ? and d.id in (select jsonb_array_elements_text(?::jsonb)) returning ${answers}`;

export const meanwhileSql = `update hosting.deployment d set seen_meanwhile = t.seen
  from jsonb_to_recordset(?::jsonb) as t(id text, seen jsonb) where d.tenant_id = ? and d.id = t.id returning ${answers}`;

export const insertSql = `insert into hosting.deployment as d (tenant_id, cluster_id, id, namespace, name, uid, resource_version,
    is_managed, image, replicas, ready_replicas, updated_replicas, available_replicas, status, reason, message, created_at)
  select ?, ?, t.id, t.namespace, t.name, t.uid, t.resource_version, false, t.image, t.replicas, t.ready_replicas,
    t.updated_replicas, t.available_replicas, t.status, t.reason, t.message, t.created_at
  from jsonb_to_recordset(?::jsonb) as t(${recordOf}, namespace text, name text, created_at timestamptz)
  on conflict (tenant_id, cluster_id, namespace, name) where deleted_at is null do nothing
  returning ${answers}`;

/** As the statements above take them. */
export function recordsOf(rows: readonly object[]): string {
  return JSON.stringify(rows.map(columnsOf));
}

function columnsOf(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
