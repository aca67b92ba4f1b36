import { createTransport } from 'nodemailer';

import type { Logger } from './logger.js';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends mail; rejects when the server does not take it. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

export interface MailerOptions {
  /** `smtp://user:password@host:port` or `smtps://...`; without it mail is printed to the log. */
  smtpUrl?: string | undefined;
  from: string;
  logger: Logger;
}

/** By SMTP where a server is known. Otherwise the log is the mailbox: whoever runs the panel reads the links there. */
export function createMailer({ smtpUrl, from, logger }: MailerOptions): Mailer {
  if (!smtpUrl) {
    return {
      send: async ({ to, subject, text }) => {
        logger.info({ to, subject, text }, 'SMTP_URL is not set; this mail went nowhere else');
      },
    };
  }
  const transport = createTransport(smtpUrl);
  return {
    send: async (mail) => {
      await transport.sendMail({ from, ...mail });
    },
  };
}
