import type { SqlEntityManager } from '#platform/database/database.js';
import type { MailQueue } from '#platform/mail-queue.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { PartnerChanged } from '#schema/events.js';

import { partnerMail, type Registrant } from './partner-notices.js';

const mostRecipients = 20;

const readers = {
  ADMINISTRATORS: 'is_administrator',
  // Who may register it.
  MANAGERS: `tenant_id = ? and role in ('OWNER', 'ADMIN')`,
} as const;

/**
 * Mails the panel's administrators that somebody wants to be a partner, and partners what was decided about them and
 * that they have another tier.
 */
export function mailPartnerNotices(mails: MailQueue, publicUrl: string): Consumer {
  return {
    topics: ['billing.partner.changed'],
    async handle({ em, event, enqueue }) {
      const facts = event.payload as unknown as PartnerChanged;
      const mail = partnerMail(facts, publicUrl, await registrantOf(em, event.tenantId));
      if (!mail) return;
      const { to: whom, subject, text } = mail;
      const recipients = await em.execute<{ tenantId: string; email: string }[]>(
        `select tenant_id as "tenantId", email from identity."user" where ${readers[whom]} order by id limit ?`,
        [...(whom === 'MANAGERS' ? [event.tenantId] : []), mostRecipients],
      );
      for (const { tenantId, email: to } of recipients)
        mails.send({ enqueue }, tenantId, { kind: subject, to, subject, text });
    },
  };
}

async function registrantOf(em: SqlEntityManager, tenantId: string): Promise<Registrant> {
  const [row] = await em.execute<{ tenantName: string; owners: string[] }[]>(
    `select t.name as "tenantName", array(
       select u.email from identity."user" u where u.tenant_id = t.id and u.role = 'OWNER' order by u.id limit 5
     ) as owners from identity.tenant t where t.id = ?`,
    [tenantId],
  );
  return { tenantId, tenantName: row?.tenantName ?? '', owners: row?.owners ?? [] };
}
