import { mandatoryPoliciesTableSql } from '#platform/admission/mandatory-policies.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';

const tellAgain = (topic: string, payload: string) =>
  `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), i.tenant_id, '${topic}', i.id,
     jsonb_build_object('instanceId', i.id, ${payload}), 'migration:090', now()
   from fleet.instance i`;

/**
 * Facts have a time and a digest, and their changes are told; which tenants have mandatory policies is known here too. So is what was there before anybody listened: the digest of
 * facts from before is not known, so the next report of them is taken as new.
 */
export const factsMigration: AreaMigration = migration(
  '090_facts',
  // Not indexed, so that beats stay HOT updates.
  `alter table fleet.instance add column facts_digest text, add column facts_reported_at timestamptz`,
  ...mandatoryPoliciesTableSql('fleet'),
  tellAgain('fleet.instance.updated', `'name', i.name, 'tags', to_jsonb(i.tags)`),
  tellAgain(
    'fleet.facts.changed',
    `'version', i.version, 'facts', case when i.facts = '{}' then null else i.facts end,
     'reportedAt', to_char(coalesce(i.last_seen_at, i.enrolled_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  ),
);
