import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { definerSql } from './definer.sql.js';

/** How a tenant presents itself, and its clients unless they have their own. */
export const brandingMigration: AreaMigration = migration(
  '079_branding',
  `create table identity.branding (
    tenant_id text primary key references identity.tenant (id),
    company_name text not null,
    logo_url text,
    primary_color text not null check (primary_color ~ '^#[0-9a-fA-F]{6}$'),
    support_email text,
    logo_sha256 text,
    logo_type text,
    logo bytea,
    updated_at timestamptz not null
  )`,
  `create index branding_logo on identity.branding (logo_sha256) where logo_sha256 is not null`,
  ...tenantTableSql('identity', 'branding', { app: ['select', 'insert', 'update'] }),
  // Its own, or else its provider's; never anyone else's.
  ...definerSql(
    `find_branding(tenant text) returns table (tenant_id text, company_name text, logo_url text, primary_color text,
       support_email text, logo_sha256 text)`,
    'stable',
    `select b.tenant_id, b.company_name, b.logo_url, b.primary_color, b.support_email, b.logo_sha256
     from identity.tenant t join identity.branding b on b.tenant_id in (t.id, t.parent_tenant_id)
     where t.id = tenant order by (b.tenant_id = t.id) desc limit 1`,
  ),
  // Logos are for everyone to see: sign-in pages show them before anyone has signed in.
  ...definerSql(
    'find_logo(sha256 text) returns table (type text, content bytea)',
    'stable',
    'select b.logo_type, b.logo from identity.branding b where b.logo_sha256 = find_logo.sha256 limit 1',
  ),
);
