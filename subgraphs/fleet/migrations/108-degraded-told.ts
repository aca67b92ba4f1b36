import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** Which repositories of GitOps a channel was told are degraded, and not yet that they no longer are. */
export const degradedToldMigration: AreaMigration = migration(
  '108_degraded_told',
  `alter table fleet.notification_channel add column degraded_told text[] not null default '{}'`,
  `update fleet.notification_channel c set degraded_told = last.subjects
    from (
      select tenant_id, channel_id, array_agg(subject_id) as subjects from (
        select distinct on (tenant_id, channel_id, subject_id) tenant_id, channel_id, subject_id, type
        from fleet.notification_delivery where type in ('GITOPS_DEGRADED', 'GITOPS_RECOVERED')
        order by tenant_id, channel_id, subject_id, created_at desc
      ) told where type = 'GITOPS_DEGRADED' group by 1, 2
    ) last
    where c.tenant_id = last.tenant_id and c.id = last.channel_id`,
);
