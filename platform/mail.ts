import { createTransport } from 'nodemailer';

import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

export interface Mail {
  /** For a mail that may be sent more than once: mailboxes that see it again may drop it. */
  id?: string;
  /** What the log calls it where it goes nowhere: words that are the same for everybody. */
  kind?: string;
  to: string;
  subject: string;
  text: string;
  /** The name beside the panel's own address, which stays: only it may send from there. */
  fromName?: string;
  /** Where answers go instead. */
  replyTo?: string;
}

/** In whose name a mail is, in the place of the panel's. */
export interface Sender {
  /** One line. */
  name: string;
  /** Where answers and questions go; null for nowhere else. */
  support: string | null;
}

/** A mail as its sender presents itself: from that name, signed with it, and answered to its support. */
export function inNameOf(mail: Mail, sender: Sender | undefined): Mail {
  if (!sender) return mail;
  const { name, support } = sender;
  return {
    ...mail,
    text: `${mail.text}\n${support === null ? name : `${name}\nQuestions? ${support}`}\n`,
    fromName: name,
    ...(support === null ? {} : { replyTo: support }),
  };
}

/** Of free text: a line break in it must not start a header or a paragraph. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** Sends mail; rejects when the server does not take it. */
export interface Mailer {
  /** Whether what is sent can reach anybody. */
  readonly isReaching: boolean;
  send(mail: Mail): Promise<void>;
}

export interface MailerOptions {
  /** `smtp://user:password@host:port` or `smtps://...`; without it mail goes nowhere. */
  smtpUrl?: string | undefined;
  /** Prints what would go nowhere to the log, one-time links and all. */
  isLogged?: boolean | undefined;
  from: string;
  logger: Logger;
  metrics?: Metrics | undefined;
  /** How long one mail may take in all: less than an attempt at a job. */
  withinMs?: number;
}

// A server that does not answer must not hold up what sends for longer than an attempt at a job may take. Each is about
// one step, of which a mail has as many as recipients.
const timeouts = {
  dnsTimeout: 10_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
};

/**
 * By SMTP where a server is known. Otherwise the log is the mailbox if it is told to be, since whoever reads it can use
 * the links; else it says that there was a mail, and nothing of what was in it.
 */
export function createMailer(options: MailerOptions): Mailer {
  const { smtpUrl, isLogged = false, from, logger, metrics, withinMs = 45_000 } = options;
  const count = metrics?.counter(
    'panel_mails_total',
    'Mails by outcome: sent, failed (their job tries again), or unsent where there is no mail server.',
    ['outcome'],
    (smtpUrl ? ['sent', 'failed'] : ['unsent']).map((outcome) => ({ outcome })),
  );
  if (!smtpUrl) {
    return {
      isReaching: isLogged,
      send: async ({ id, kind = 'mail', to, subject, text }) => {
        count?.({ outcome: 'unsent' });
        if (isLogged) {
          logger.warn({ to, subject, text }, 'SMTP_URL is not set: this mail went nowhere but here');
        } else {
          logger.warn(
            { mailId: id, kind, domains: domainsOf(to) },
            'SMTP_URL is not set: a mail was not sent',
          );
        }
      },
    };
  }
  const transport = createTransport({ url: smtpUrl, ...timeouts });
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim();
  const domain = /@([^\s>]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    isReaching: true,
    send: async ({ id, fromName, replyTo, to, subject, text }) => {
      const messageId = id === undefined ? {} : { messageId: `<${id}@${domain}>` };
      const sending = transport.sendMail({
        // As objects, so that what is in a name is never read as an address.
        from: fromName === undefined ? from : { name: fromName, address },
        ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
        to,
        subject,
        text,
        ...messageId,
        signal: AbortSignal.timeout(withinMs),
      });
      await sending.catch((error: unknown) => {
        count?.({ outcome: 'failed' });
        throw error;
      });
      count?.({ outcome: 'sent' });
    },
  };
}

/** Of one or more addresses, separated by commas. */
function domainsOf(to: string): string[] {
  return [...new Set(to.split(',').map((address) => address.slice(address.lastIndexOf('@') + 1).trim()))];
}
