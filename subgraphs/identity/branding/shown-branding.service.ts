import type { SqlEntityManager } from '#platform/database/database.js';
import { oneLine } from '#platform/mail.js';

/** What others see of a tenant: on the pages it sends people to, and in the mail it causes. */
export interface ShownBranding {
  /** One line. */
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
 * The tenant's branding while its plan includes it, or else that of its provider while that one's does; undefined for
 * all others, who see the panel's own name. `em` reads as that tenant: the database tells of no other.
 */
export async function findShownBranding(
  em: SqlEntityManager,
  tenantId: string,
): Promise<ShownBranding | undefined> {
  const [row] = await em.execute<Row[]>(
    'select company_name, primary_color, support_email, logo_sha256 from identity.find_branding(?)',
    [tenantId],
  );
  return (
    row && {
      companyName: oneLine(row.company_name),
      logoPath: row.logo_sha256 && `/branding/logo/${row.logo_sha256}`,
      primaryColor: row.primary_color,
      supportEmail: row.support_email,
    }
  );
}
