import type { MailBranding } from '#platform/branded-mail.js';
import type { SqlEntityManager } from '#platform/database/database.js';

/**
 * The tenant's branding while its plan includes it, or else that of its provider while that one's does; undefined for
 * all others, who see the panel's own name. As identity decides it for its pages and mails.
 */
export async function findShownBranding(
  em: SqlEntityManager,
  tenantId: string,
): Promise<MailBranding | undefined> {
  const [shown] = await em.execute<MailBranding[]>(
    'select company_name as "companyName", support_email as "supportEmail" from fleet.find_branding(?)',
    [tenantId],
  );
  return shown;
}
