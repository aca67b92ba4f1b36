import type { MailQueue } from '#platform/mail-queue.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { NoticeRaised } from '#schema/events.js';

import { noticeMail } from './billing-notices.js';

const mostRecipients = 20;

/** Mails what billing has to say to a tenant's owners and to whoever has the role billing; identity knows the addresses. */
export function mailBillingNotices(mails: MailQueue, publicUrl: string): Consumer {
  return {
    topics: ['billing.notice.raised'],
    async handle({ em, event, enqueue }) {
      const { tenantId } = event;
      const { subject, text } = noticeMail(event.payload as unknown as NoticeRaised, publicUrl);
      const recipients = await em.execute<{ email: string }[]>(
        `select email from identity.user where tenant_id = ? and role in ('OWNER', 'BILLING') order by id limit ?`,
        [tenantId, mostRecipients],
      );
      for (const { email: to } of recipients)
        mails.send({ enqueue }, tenantId, { kind: subject, to, subject, text });
    },
  };
}
