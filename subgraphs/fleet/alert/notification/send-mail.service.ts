import type { JobStep } from '#platform/jobs/job.js';
import { inNameOf, type Mailer } from '#platform/mail.js';

import { findSender } from '../../branding/sender.service.js';
import { givenUp, type AttemptResult } from './attempt-result.js';
import { mailsPerHour, returnAllowance, takeAllowance } from './mail-allowance.service.js';
import { newsMail, type NewsBody } from './news.message.js';
import { confirmedOf } from './notification-address.service.js';
import type { NotificationChannel } from './notification-channel.entity.js';
import type { NotificationDelivery } from './notification-delivery.entity.js';
import { mailOf, type NotificationBody } from './notification.message.js';

/** Mails a message to those of the channel's addresses that want it, within what the tenant may send. */
export async function sendMail(
  { mailer, publicUrl }: { mailer: Mailer; publicUrl: string },
  channel: NotificationChannel,
  { id, body }: NotificationDelivery,
  step: JobStep,
): Promise<AttemptResult> {
  const to = await confirmedOf(step.em, channel.tenantId, channel.recipients);
  if (to.length === 0) return givenUp('No recipient has confirmed the address');
  if (!mailer.isReaching) return givenUp('The panel has no mail server');
  const sender = await findSender(step.em, channel.tenantId);
  const allowance = await takeAllowance(step, id, to.length);
  if (allowance === 'used up') return givenUp(`The ${mailsPerHour} alert mails of an hour are used up`);
  const told = JSON.parse(body) as NotificationBody & NewsBody;
  const { subject, text } = newsMail(told, publicUrl) ?? mailOf(told, publicUrl);
  const warning =
    allowance === 'nearly used up'
      ? `\nAlert mails are limited to ${mailsPerHour} an hour, and these are nearly used up: further alerts are in the panel only.\n`
      : '';
  try {
    await mailer.send(inNameOf({ id, to: to.join(', '), subject, text: text + warning }, sender));
    return { statusCode: null, error: null };
  } catch (cause) {
    await returnAllowance(step, id);
    const code = responseCodeOf(cause);
    return {
      statusCode: null,
      error: code === undefined ? 'The mail server did not take it' : `The mail server answered ${code}`,
      cause,
    };
  }
}

/** As SMTP has it (RFC 5321, section 4.2); absent when there was no answer. */
function responseCodeOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
  return typeof code === 'number' ? code : undefined;
}
