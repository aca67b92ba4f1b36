import type { SqlEntityManager } from '#platform/database/database.js';

/** What others see of a tenant: on the pages it sends people to, and in the mail it causes. */
export interface ShownBranding {
  companyName: string;
  /** The panel's own copy, as a path on the panel. */
  logoPath: string | null;
  /** `#rrggbb`. */
  primaryColor: string;
  supportEmail: string | null;
}

interface Row {
  company_name: string;
  primary_color: string;
  support_email: string | null;
  logo_sha256: string | null;
}

/**
 * The tenant's branding while its plan includes it, or that of its provider whatever the tenant's plan; undefined for
 * all others, who see the panel's own name. `em` reads as that tenant.
 */
export async function findShownBranding(
  em: SqlEntityManager,
  tenantId: string,
): Promise<ShownBranding | undefined> {
  const [row] = await em.execute<Row[]>(
    `select b.company_name, b.primary_color, b.support_email, b.logo_sha256 from identity.find_branding(?) b
     where b.tenant_id <> ? or exists (
       select from identity.entitlement e where e.tenant_id = b.tenant_id and 'white-label' = any (e.features))`,
    [tenantId, tenantId],
  );
  return (
    row && {
      // Free text: a line break in it must not start a header or a paragraph.
      companyName: row.company_name.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim(),
      logoPath: row.logo_sha256 && `/branding/logo/${row.logo_sha256}`,
      primaryColor: row.primary_color,
      supportEmail: row.support_email,
    }
  );
}
