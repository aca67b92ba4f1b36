import type { Sweep } from '#platform/membership/sweep.js';
import type { OverallScoreChanged } from '#schema/events.js';

import { scoreOf, type Weights } from './formula.js';

const tenantsAtOnce = 100;

/** However much is judged of a tenant, its overall score is told no more often. */
const everyMs = 5_000;

// Those that wait longest first. What is marked meanwhile stays for the next time.
const take = `with gone as (
    delete from governance.score_mark where tenant_id in (
      select tenant_id from governance.score_mark group by tenant_id order by min(id) limit ${tenantsAtOnce})
    returning tenant_id
  ), marked as (select distinct tenant_id from gone)
  select m.tenant_id as "tenantId", s.passed, s.known
  from marked m cross join lateral (
    select coalesce(sum(passed), 0)::double precision as passed, coalesce(sum(known), 0)::double precision as known
    from (select passed, known from governance.score_count where tenant_id = m.tenant_id
      union all select passed, known from governance.cluster where tenant_id = m.tenant_id) judged) s`;

const keep = `insert into governance.score_told as t (tenant_id, version, score)
  select n.tenant_id, 1, n.score from jsonb_to_recordset(?::jsonb) as n (tenant_id text, score integer)
  on conflict (tenant_id) do update set version = t.version + 1, score = excluded.score
  where t.score is distinct from excluded.score
  returning tenant_id as "tenantId", version::text as version, score`;

/** Tells the overall scores that are others than they were, of each tenant once for all that has changed meanwhile. */
export const overallScoreSweep: Sweep = {
  name: 'overall-score.tell',
  everyMs,
  due: 'select from governance.score_mark',
  async run({ em, publish }) {
    const marked = await em.execute<(Pick<Weights, 'passed' | 'known'> & { tenantId: string })[]>(take);
    const scores = marked.map(({ tenantId, passed, known }) => ({
      tenant_id: tenantId,
      score: scoreOf({ passed, known, applicable: known }),
    }));
    const changed = await em.execute<{ tenantId: string; version: string; score: number | null }[]>(keep, [
      JSON.stringify(scores),
    ]);
    for (const { tenantId, version, score } of changed) {
      publish({
        topic: 'governance.overall-score.changed',
        tenantId,
        entityId: tenantId,
        entityVersion: Number(version),
        payload: { score } satisfies OverallScoreChanged,
      });
    }
    return marked.length === tenantsAtOnce ? 'more' : 'done';
  },
};
