import type { MailQueue } from '#platform/mail-queue.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { PartnerChanged } from '#schema/events.js';

import { partnerMail } from './partner-notices.js';

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
      const mail = partnerMail(event.payload as unknown as PartnerChanged, publicUrl);
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
