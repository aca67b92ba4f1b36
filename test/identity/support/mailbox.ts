import { once } from 'node:events';

import { SMTPServer } from 'smtp-server';
import { vi } from 'vitest';

import { freePort } from './oauth.js';

export interface ReceivedMail {
  to: string;
  subject: string;
  text: string;
  /** As they came, folded lines joined. */
  headers: string;
}

/** A mail server that keeps what it takes. */
export class Mailbox implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];

  private constructor(
    readonly url: string,
    private readonly server: SMTPServer,
  ) {}

  /** `wanted` is the port of a panel's SMTP_URL, for a server that comes after it. */
  static async start(wanted?: number): Promise<Mailbox> {
    const port = wanted ?? (await freePort());
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString('utf8');
          const text = raw.slice(raw.indexOf('\r\n\r\n') + 4);
          mailbox.mails.push({
            to: session.envelope.rcptTo.map(({ address }) => address).join(),
            subject: /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '',
            headers: raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' '),
            text: text.replaceAll(/=\r\n/g, '').replaceAll('=3D', '='),
          });
          done();
        });
      },
    });
    const mailbox = new Mailbox(`smtp://127.0.0.1:${port}`, server);
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    return mailbox;
  }

  /** The newest mail with this subject to this address. */
  async receive(to: string, subject: RegExp): Promise<ReceivedMail> {
    return vi.waitFor(
      () => {
        const found = this.mails.findLast((mail) => mail.to === to && subject.test(mail.subject));
        if (!found) throw new Error(`no mail to ${to}`);
        return found;
      },
      { timeout: 30_000 },
    );
  }

  /** The token in the link of such a mail; the mail is taken out. */
  async token(to: string, subject: RegExp): Promise<string> {
    const mail = await this.receive(to, subject);
    this.mails.splice(this.mails.indexOf(mail), 1);
    return /#token=([\w-]{43})/.exec(mail.text)?.[1] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
