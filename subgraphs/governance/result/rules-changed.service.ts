import type { SqlEntityManager } from '#platform/database/database.js';
import type { Write } from '#platform/subgraph/operation.js';
import type { PolicyChanged } from '#schema/events.js';

import { judgeClusters } from '../cluster/judge-clusters.service.js';
import { mostInForce } from '../policy/in-force.service.js';
import { readRules } from './active-policies.loader.js';
import { evaluateNodes, nodeColumns, type NodeRow } from './evaluation.service.js';

/** The policy that has changed, and the instance that it is about, where that is one. */
interface Cause {
  policyId: string;
  isRemoved?: boolean;
  instanceId?: string;
}

/** How many instances are judged at once, before whoever changed a policy is answered. */
const atOnce = 200;

/** The ids of those instances, and of one that the change is about: takes the tenant, how many, the tenant and that one. */
const judgedFirst = `select id from (
    (select id from governance.node where tenant_id = ? order by id limit ?)
    union select id from governance.node where tenant_id = ? and id = ?) judged_first`;

/**
 * Takes the locks of `rulesChanged`, in their order, before anything is removed that others hold behind them. `instanceId`
 * is the one that it is about, if it is about one.
 */
export async function lockJudged(
  { em }: Pick<Write, 'em'>,
  tenantId: string,
  instanceId = '',
): Promise<void> {
  await em.execute('select 1 from governance.standing where tenant_id = ? for update', [tenantId]);
  await em.execute(
    `select count(*) from (select 1 from governance.node where tenant_id = ? and id in (${judgedFirst})
       order by id for update) held`,
    [tenantId, tenantId, atOnce + 1, tenantId, instanceId],
  );
  await em.execute(
    `select count(*) from (select 1 from governance.cluster where tenant_id = ? order by id for update) held`,
    [tenantId],
  );
}

/**
 * What follows from a change of a tenant's policies or exemptions, in its transaction: a small fleet is judged at once, and
 * of a larger one the rest by the sweep within seconds. Where it is about one instance that one is judged at once, too.
 */
export async function rulesChanged(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  tenantId: string,
  now: Date,
  cause: Cause,
): Promise<void> {
  await tellRulesChanged({ em, publish }, tenantId, now, cause);
  const nodes = await em.execute<NodeRow[]>(
    `select ${nodeColumns} from governance.node where tenant_id = ? and id in (${judgedFirst}) order by id for update`,
    [tenantId, tenantId, atOnce + 1, tenantId, cause.instanceId ?? ''],
  );
  const rules = await readRules(em, tenantId, now);
  await judgeClusters({ em, now }, tenantId, { rules });
  const judged = nodes.filter(({ id }, at) => at < atOnce || id === cause.instanceId);
  await evaluateNodes({ em, now, publish }, tenantId, judged, { rules });
  if (nodes.length > atOnce) await judgeLater(em, tenantId, now);
}

/** Raises the tenant's revision, by which whatever was judged before is judged anew, and tells other areas of the policy. */
export async function tellRulesChanged(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  tenantId: string,
  now: Date,
  cause: Cause | null,
): Promise<void> {
  const [{ revision }] = (await em.execute<{ revision: string }[]>(
    `insert into governance.standing as s (tenant_id, revision, refreshed_at) values (?, 1, ?)
     on conflict (tenant_id) do update set revision = s.revision + 1 returning revision::text as revision`,
    [tenantId, now],
  )) as [{ revision: string }];
  if (!cause) return;
  const [{ mandatory, metrics }] = (await em.execute<{ mandatory: number; metrics: string[] }[]>(
    `select count(*) filter (where enforcement = 'MANDATORY')::integer as mandatory,
       (select coalesce(jsonb_agg(distinct c), '[]') from governance.policy p, jsonb_path_query(p.rule, '$.**.condition') c
        where p.tenant_id = ? and c #>> '{}' like 'metrics.%') as metrics
     from (select enforcement from governance.policy where tenant_id = ? and enforcement <> 'DISABLED'
       order by id limit ?) in_force`,
    [tenantId, tenantId, await mostInForce(em, tenantId)],
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
}

/** Has the sweep judge all that the tenant has. */
export async function judgeLater(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  await em.execute(
    'update governance.standing set pending_since = least(pending_since, ?) where tenant_id = ?',
    [now, tenantId],
  );
}
