import { migration, type AreaMigration } from '#platform/database/migrate.js';

/** hosting shows who makes up the panel, and moves what they hold. The tables are the platform's: no tenant has them. */
export const haMigration: AreaMigration = migration(
  '040_ha',
  `grant select on platform.process, platform.lease, platform.ha_seen, platform.ha_change, platform.upgrade,
    platform.upgrade_step to hosting_app, hosting_jobs`,
  `grant insert, update on platform.upgrade, platform.upgrade_step to hosting_app, hosting_jobs`,
  `grant insert, update on platform.ha_seen to hosting_jobs`,
  `grant insert on platform.ha_change to hosting_jobs`,
  `grant execute on function platform.move_leases(text, text[], integer), platform.await_singletons(),
    platform.timeline_of_server(), platform.replication() to hosting_app, hosting_jobs`,
  `grant execute on function platform.ha_fingerprint(), platform.forget_processes(), platform.tell_process(text, text)
    to hosting_jobs`,
);
