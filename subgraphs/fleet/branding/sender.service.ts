import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sender } from '#platform/mail.js';

/**
 * In whose name a tenant's alerts are mailed: its own while its plan includes branding, or else its provider's while that
 * one's does; undefined for all others, whose mail is the panel's. As identity decides it for its pages and mails.
 */
export async function findSender(em: SqlEntityManager, tenantId: string): Promise<Sender | undefined> {
  const [sender] = await em.execute<Sender[]>(
    'select company_name as name, support_email as support from fleet.find_branding(?)',
    [tenantId],
  );
  return sender;
}
