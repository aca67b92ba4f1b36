import { migration, type AreaMigration } from '#platform/database/migrate.js';

const tellAgain = (topic: string, version: string, payload: string, from: string) =>
  `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), t.id, '${topic}', t.id, ${version},
     jsonb_build_object(${payload}), 'migration:085', now()
   from ${from}`;

/**
 * Other areas are told of brandings, and have to know which of two is the newer one. What was there before they listened
 * they are told of once more.
 */
export const brandingVersionsMigration: AreaMigration = migration(
  '085_branding_versions',
  `alter table identity.branding add column version bigint not null default 1`,
  tellAgain(
    'identity.tenant.created',
    'null',
    `'tenantId', t.id, 'name', t.name, 'plan', t.plan, 'parentTenantId', t.parent_tenant_id`,
    'identity.tenant t where t.parent_tenant_id is not null',
  ),
  tellAgain(
    'identity.branding.changed',
    'b.version',
    `'companyName', trim(regexp_replace(b.company_name, '[[:space:][:cntrl:]]+', ' ', 'g')),
     'supportEmail', b.support_email`,
    'identity.branding b join identity.tenant t on t.id = b.tenant_id',
  ),
);
