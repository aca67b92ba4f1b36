import type { Write } from '#platform/subgraph/operation.js';
import type { PolicyChanged } from '#schema/events.js';

import { judgeClusters } from '../cluster/judge-clusters.service.js';
import { readRules } from './active-policies.loader.js';
import { evaluateNodes, nodeColumns, type NodeRow } from './evaluation.service.js';

/** How many instances are judged at once, before whoever changed a policy is answered. */
const atOnce = 200;

/**
 * Takes the locks of `rulesChanged`, in their order, before anything is removed or made that others hold behind them: with a
 * policy its results go, and an exemption holds its instance.
 */
export async function lockJudged({ em }: Pick<Write, 'em'>, tenantId: string): Promise<void> {
  await em.execute('select 1 from governance.standing where tenant_id = ? for update', [tenantId]);
  for (const table of ['node', 'cluster'])
    await em.execute(
      `select count(*) from (select 1 from governance.${table} where tenant_id = ? order by id for update) held`,
      [tenantId],
    );
}

/**
 * What follows from a change of a tenant's policies or exemptions, in its transaction: a small fleet is judged at once, and
 * of a larger one the rest by the sweep within seconds.
 */
export async function rulesChanged(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  tenantId: string,
  now: Date,
  cause: { policyId: string; isRemoved?: boolean },
): Promise<void> {
  const [{ revision }] = (await em.execute<{ revision: string }[]>(
    `insert into governance.standing as s (tenant_id, revision, refreshed_at) values (?, 1, ?)
     on conflict (tenant_id) do update set revision = s.revision + 1 returning revision::text as revision`,
    [tenantId, now],
  )) as [{ revision: string }];
  const [{ mandatory, metrics }] = (await em.execute<{ mandatory: number; metrics: string[] }[]>(
    `select count(*) filter (where enforcement = 'MANDATORY')::integer as mandatory,
       (select coalesce(jsonb_agg(distinct c), '[]') from governance.policy p, jsonb_path_query(p.rule, '$.**.condition') c
        where p.tenant_id = ? and c #>> '{}' like 'metrics.%') as metrics
     from governance.policy where tenant_id = ?`,
    [tenantId, tenantId],
  )) as [{ mandatory: number; metrics: string[] }];
  publish({
    topic: 'governance.policy.changed',
    tenantId,
    entityId: cause.policyId,
    payload: {
      policyId: cause.policyId,
      isRemoved: cause.isRemoved ?? false,
      mandatory,
      metrics,
      version: Number(revision),
    } satisfies PolicyChanged,
  });
  const nodes = await em.execute<NodeRow[]>(
    `select ${nodeColumns} from governance.node where tenant_id = ? order by id limit ? for update`,
    [tenantId, atOnce + 1],
  );
  const rules = await readRules(em, tenantId, now);
  await judgeClusters({ em, now }, tenantId, { rules });
  await evaluateNodes({ em, now, publish }, tenantId, nodes.slice(0, atOnce), { rules });
  if (nodes.length <= atOnce) return;
  await em.execute(
    'update governance.standing set pending_since = least(pending_since, ?) where tenant_id = ?',
    [now, tenantId],
  );
}
