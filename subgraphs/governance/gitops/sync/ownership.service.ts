import type { SqlEntityManager } from '#platform/database/database.js';

import { GitOpsAction, type GitOpsChange } from '../gitops-change.types.js';
import { type GitOpsConfig } from '../gitops-config.entity.js';
import { keyOf } from '../manifest/resource.js';
import type { Applied } from './apply.service.js';
import type { Newest } from './newest.service.js';
import type { Actual } from './plan.js';
import { keyOfChange } from './refusals.js';

interface Kept {
  row: Pick<GitOpsConfig, 'tenantId' | 'id' | 'appliedCommit'>;
  newest: Newest;
  applied: Applied;
  left: readonly GitOpsChange[];
  actual: readonly Actual[];
  now: Date;
}

/**
 * What is declared and there is the repository's from now on. What it removed, or somebody else did, is so no longer: a
 * thing that people make by that name later is their own.
 */
export async function keepOwnership(
  em: SqlEntityManager,
  { row, newest, applied, left, actual, now }: Kept,
): Promise<void> {
  const { tenantId, id: configId } = row;
  const isTaken = applied.done.length > 0 || row.appliedCommit === newest.declaredCommit;
  const keysOf = (changes: readonly GitOpsChange[], action: GitOpsAction) =>
    new Set(changes.filter((change) => change.action === action).map(keyOfChange));
  const missing = keysOf(left, GitOpsAction.CREATE);
  const removed = keysOf(applied.done, GitOpsAction.DELETE);
  // What is there and could not be changed was perhaps never the repository's.
  const refused = keysOf(left, GitOpsAction.UPDATE);
  const isLeft = (key: string) => missing.has(key) || (refused.has(key) && !applied.canaries.has(key));
  const owned = isTaken ? newest.declared.filter((one) => !isLeft(keyOf(one))) : [];
  const there = new Set([...actual, ...newest.declared].map(keyOf).filter((key) => !removed.has(key)));
  await em.execute(
    `delete from governance.gitops_resource where tenant_id = ? and config_id = ?
       and not kind || '/' || key = any (array(select jsonb_array_elements_text(?::jsonb)))`,
    [tenantId, configId, JSON.stringify([...there])],
  );
  const rows = owned.map((one) => ({
    kind: one.kind,
    key: one.name.toLowerCase(),
    name: one.name,
    canary: applied.canaries.get(keyOf(one)) ?? null,
  }));
  await em.execute(
    `insert into governance.gitops_resource as r (tenant_id, kind, key, config_id, name, canary_id, since)
     select ?, kind, key, ?, name, canary, ?
     from jsonb_to_recordset(?::jsonb) as o (kind text, key text, name text, canary text)
     on conflict (tenant_id, kind, key) do update
       set name = excluded.name, canary_id = coalesce(excluded.canary_id, r.canary_id),
         earlier_canaries = case
           when excluded.canary_id is null or excluded.canary_id = r.canary_id then r.earlier_canaries
           when exists (select from governance.canary a join governance.canary b on b.tenant_id = a.tenant_id
             and b.params ->> 'version' = a.params ->> 'version'
             where a.tenant_id = r.tenant_id and a.id = r.canary_id and b.id = excluded.canary_id)
           then r.earlier_canaries || to_jsonb(r.canary_id) else '[]' end
       where r.config_id = excluded.config_id`,
    [tenantId, configId, now, JSON.stringify(rows)],
  );
}
