import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';

import { dataOf } from '../../../support/answers.js';
import type { TestPanel } from '../../../support/panel.js';
import { until, type Tenant } from '../../../support/world.js';

export interface ReceivedMail {
  to: string[];
  subject: string;
  raw: string;
  /** With the line breaks of its encoding undone. */
  text: string;
}

/** A mail server for panels that mail alerts. */
export class MailServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** What the next mails about alerts are refused with; they are taken when there is none left. */
  readonly refusals: number[] = [];

  private constructor(
    private readonly server: SMTPServer,
    readonly url: string,
  ) {}

  static async start(): Promise<MailServer> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString();
          const subject = /^Subject: (.*(?:\r\n .*)*)/m.exec(raw)?.[1]?.replaceAll('\r\n', '') ?? '';
          const code = /^(Firing|Resolved|Test)/.test(subject) ? mailServer.refusals.shift() : undefined;
          const refusal = Object.assign(new Error('no such user on mail-7.internal'), { responseCode: code });
          if (code !== undefined) return done(refusal);
          const to = session.envelope.rcptTo.map(({ address }) => address);
          const text = raw.replaceAll(/=\r\n/g, '').replaceAll('=3D', '=');
          mailServer.mails.push({ to, subject, raw, text });
          done();
        });
      },
    });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const mailServer = new MailServer(server, `smtp://127.0.0.1:${port}`);
    return mailServer;
  }

  /** Mails to an address with such a subject. */
  to(email: string, subject: RegExp): ReceivedMail[] {
    return this.mails.filter((mail) => mail.to.includes(email) && subject.test(mail.subject));
  }

  /** The token of the newest link that was mailed to an address, to confirm it by. */
  async confirmationToken(email: string): Promise<string> {
    await until(async () => this.to(email, /^Confirm that/).length > 0, `a link to ${email}`);
    const mail = this.to(email, /^Confirm that/).at(-1);
    return /confirm-address#token=([\w-]{43})/.exec(mail?.text ?? '')?.[1] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

const confirmation =
  'mutation($input: ConfirmNotificationAddressInput!) { confirmNotificationAddress(input: $input) { email isConfirmed } }';

/** Presses the button of the page that the link leads to: nobody is signed in there. */
export async function confirm(panel: TestPanel, token: string) {
  return panel.world.graphql(confirmation, { input: { token } });
}

/** A channel to these addresses; answers its id. */
export async function mailTo(tenant: Tenant, recipients: string[], more: object = {}): Promise<string> {
  const answer = await tenant.graphql<{ createEmailChannel: { id: string } }>(
    'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { id } }',
    { input: { name: 'ops', recipients, ...more } },
  );
  return dataOf(answer).createEmailChannel.id;
}

/** The same, once all of them have confirmed it. */
export async function confirmedMailTo(
  panel: TestPanel,
  server: MailServer,
  tenant: Tenant,
  recipients: string[],
): Promise<string> {
  const id = await mailTo(tenant, recipients);
  for (const email of recipients) dataOf(await confirm(panel, await server.confirmationToken(email)));
  return id;
}
