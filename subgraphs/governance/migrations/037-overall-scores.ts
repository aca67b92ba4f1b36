import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

/**
 * The overall score is told when it is another. Whose may be is marked in the database, so that no writer of scores can
 * forget it, and by rows that are added, so that none waits for another.
 */
export const overallScoresMigration: AreaMigration = migration(
  '037_overall_scores',
  `create table governance.score_mark (
    tenant_id text not null,
    id bigint generated always as identity,
    primary key (tenant_id, id)
  )`,
  ...tenantTableSql('governance', 'score_mark', { app: [] }),
  `create table governance.score_told (
    tenant_id text primary key,
    version bigint not null,
    score integer
  )`,
  ...tenantTableSql('governance', 'score_told', { app: [] }),

  `create function governance.mark_score() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      insert into governance.score_mark (tenant_id) values (old.tenant_id);
      return null;
    end $$`,
  `revoke execute on function governance.mark_score() from public`,
  // What comes has no score yet.
  ...['node', 'cluster'].flatMap((table) => [
    `create trigger mark_score after update on governance.${table}
      for each row when ((old.passed, old.known) is distinct from (new.passed, new.known))
      execute function governance.mark_score()`,
    `create trigger mark_score_of_end after delete on governance.${table}
      for each row when (old.known > 0) execute function governance.mark_score()`,
  ]),

  // Scores from before are told once.
  `insert into governance.score_mark (tenant_id)
    select tenant_id from governance.node where known > 0
    union select tenant_id from governance.cluster where known > 0`,
);
