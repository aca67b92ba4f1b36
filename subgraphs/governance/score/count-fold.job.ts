import type { Sweep } from '#platform/membership/sweep.js';

const tenantsAtOnce = 200;

/** Of the changes of a tenant's counts one of sixteen is marked. What is added meanwhile stays beside the sum. */
const foldOf = (table: string, kinds: readonly string[], sums: readonly string[]) => `with marked as (
    select distinct m.tenant_id from governance.${table} m where m.is_marked limit ${tenantsAtOnce}
  ), gone as (
    delete from governance.${table} c using marked where c.tenant_id = marked.tenant_id returning c.*
  ), kept as (
    insert into governance.${table} (${['tenant_id', ...kinds, ...sums].join(', ')}, is_marked)
    select ${['tenant_id', ...kinds, ...sums.map((name) => `sum(${name})`)].join(', ')}, false
    from gone group by ${['tenant_id', ...kinds].join(', ')} having ${sums.map((name) => `sum(${name}) <> 0`).join(' or ')}
  ) select tenant_id from marked`;

function foldSweep(name: string, table: string, kinds: readonly string[], sums: readonly string[]): Sweep {
  const fold = foldOf(table, kinds, sums);
  return {
    name,
    everyMs: 2_000,
    due: `select from governance.${table} where is_marked`,
    async run({ em }) {
      const folded = await em.execute<unknown[]>(fold);
      return folded.length === tenantsAtOnce ? 'more' : 'done';
    },
  };
}

/** Sum up the changes of counts, so that reading them stays cheap. */
export const countFoldSweeps: readonly Sweep[] = [
  foldSweep('result-count.fold', 'result_count', ['policy_id', 'status'], ['results']),
  foldSweep(
    'score-count.fold',
    'score_count',
    [],
    ['instances', 'passed', 'known', 'applicable', 'violations'],
  ),
];
