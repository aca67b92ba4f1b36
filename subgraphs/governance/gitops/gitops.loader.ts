import type { Operation } from '#platform/subgraph/operation.js';

import { GitOpsCommit } from './gitops-commit.entity.js';
import { GitOpsConfig } from './gitops-config.entity.js';

export async function loadConfigs(
  { em, tenantId }: Operation,
  ids: readonly string[],
): Promise<(GitOpsConfig | null)[]> {
  const found = await em.find(GitOpsConfig, { tenantId, id: { $in: [...ids] } });
  return ids.map((id) => found.find((config) => config.id === id) ?? null);
}

/** The newest commits of several repositories, or those before one, in one statement. */
export async function loadCommits(
  { em, tenantId }: Operation,
  ids: readonly string[],
  { first, after }: { first: number; after: string | null },
): Promise<GitOpsCommit[][]> {
  const rows = await em.execute<Record<string, unknown>[]>(
    `select c.* from jsonb_array_elements_text(?::jsonb) as config (id)
     cross join lateral (select * from governance.gitops_commit
       where tenant_id = ? and config_id = config.id and (?::text is null or position < (
         select position from governance.gitops_commit
         where tenant_id = ? and config_id = config.id and sha = ?))
       order by position desc limit ?) c
     order by c.position desc`,
    [JSON.stringify(ids), tenantId, after, tenantId, after, first],
  );
  const found = rows.map((row) => em.map(GitOpsCommit, row));
  return ids.map((id) => found.filter(({ configId }) => configId === id));
}
