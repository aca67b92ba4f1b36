import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/**
 * How many results a policy has in each status, and what a tenant's instances score together: each the sum of its rows, as
 * fleet's counts of instances are. Changes are appended, one row for a statement of results and one for an instance whose
 * score is another, so that writers never wait for each other; a sweep folds them.
 */
export const countsMigration: AreaMigration = migration(
  '036_counts',
  `create table governance.result_count (
    tenant_id text not null,
    id bigint generated always as identity,
    policy_id text not null,
    status text not null,
    results integer not null,
    is_marked boolean not null default random() < 0.0625,
    primary key (tenant_id, id)
  )`,
  `create index result_count_policy on governance.result_count (tenant_id, policy_id)`,
  `create index result_count_marked on governance.result_count (tenant_id) where is_marked`,
  ...tenantTableSql('governance', 'result_count'),

  // Each of its triggers names the rows that its kind of statement has.
  `create function governance.count_results() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if tg_op = 'INSERT' then
        insert into governance.result_count (tenant_id, policy_id, status, results)
          select tenant_id, policy_id, status, count(*) from new_rows group by 1, 2, 3;
      elsif tg_op = 'DELETE' then
        insert into governance.result_count (tenant_id, policy_id, status, results)
          select tenant_id, policy_id, status, -count(*) from old_rows group by 1, 2, 3;
      else
        insert into governance.result_count (tenant_id, policy_id, status, results)
          select tenant_id, policy_id, status, sum(n) from (
            select tenant_id, policy_id, status, 1 as n from new_rows
            union all select tenant_id, policy_id, status, -1 from old_rows) moved
          group by 1, 2, 3 having sum(n) <> 0;
      end if;
      return null;
    end $$`,
  `create trigger count_new after insert on governance.result referencing new table as new_rows
    for each statement execute function governance.count_results()`,
  `create trigger count_gone after delete on governance.result referencing old table as old_rows
    for each statement execute function governance.count_results()`,
  `create trigger count_moved after update on governance.result referencing new table as new_rows old table as old_rows
    for each statement execute function governance.count_results()`,
  `insert into governance.result_count (tenant_id, policy_id, status, results, is_marked)
    select tenant_id, policy_id, status, count(*), false from governance.result group by 1, 2, 3`,

  `create table governance.score_count (
    tenant_id text not null,
    id bigint generated always as identity,
    instances integer not null,
    passed bigint not null,
    known bigint not null,
    applicable bigint not null,
    violations bigint not null,
    is_marked boolean not null default random() < 0.0625,
    primary key (tenant_id, id)
  )`,
  `create index score_count_marked on governance.score_count (tenant_id) where is_marked`,
  ...tenantTableSql('governance', 'score_count'),
  `create function governance.count_score() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      -- Of a row that comes, old is null; of one that goes, new is.
      insert into governance.score_count (tenant_id, instances, passed, known, applicable, violations) values (
        coalesce(new.tenant_id, old.tenant_id),
        (new.id is not null)::int - (old.id is not null)::int,
        coalesce(new.passed, 0) - coalesce(old.passed, 0),
        coalesce(new.known, 0) - coalesce(old.known, 0),
        coalesce(new.applicable, 0) - coalesce(old.applicable, 0),
        coalesce(new.violations, 0) - coalesce(old.violations, 0));
      return null;
    end $$`,
  `create trigger count_comings_and_goings after insert or delete on governance.node
    for each row execute function governance.count_score()`,
  `create trigger count_changes after update on governance.node
    for each row when ((old.passed, old.known, old.applicable, old.violations)
        is distinct from (new.passed, new.known, new.applicable, new.violations))
    execute function governance.count_score()`,
  `insert into governance.score_count (tenant_id, instances, passed, known, applicable, violations, is_marked)
    select tenant_id, count(*), sum(passed), sum(known), sum(applicable), sum(violations), false
    from governance.node group by 1`,
);
