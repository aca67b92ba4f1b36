import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';
import { expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel } from '../../support/panel.js';
import { firing, soon } from './support/panel.js';
import { deliveries } from './support/webhook.js';

/** A mail server that refuses its first mail. */
async function startMailServer() {
  const mails: string[] = [];
  let isFirst = true;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const isRefused = isFirst;
        isFirst = false;
        if (!isRefused) mails.push(Buffer.concat(chunks).toString());
        done(isRefused ? Object.assign(new Error('busy'), { responseCode: 451 }) : null);
      });
    },
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    [Symbol.asyncDispose]: async () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test('alerts are mailed to everybody on the list, again after the mail server refused', async () => {
  await using server = await startMailServer();
  await using panel = await startTestPanel({ SMTP_URL: server.url, MAIL_FROM: 'panel@panel.test' });
  const tenant = await panel.world.tenant();
  const create =
    'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { kind url } }';
  const recipients = ['a@example.com', 'b@example.com'];
  expect(dataOf(await tenant.graphql(create, { input: { name: 'ops', recipients } }))).toEqual({
    createEmailChannel: { kind: 'EMAIL', url: null },
  });
  expect(
    refusal(await tenant.graphql(create, { input: { name: 'ops', recipients: ['nobody'] } })),
  ).toMatchObject({
    code: 'VALIDATION_FAILED',
  });
  // Registrations are mailed as well; only alerts count here.
  const alerts = () => server.mails.filter((mail) => mail.includes('Subject: Firing'));
  await firing(panel, tenant, 'web-1');
  await soon(panel, async () => alerts().length === 1, 'the mail');
  expect(alerts()[0]).toContain('To: a@example.com, b@example.com');
  expect(alerts()[0]).toContain('From: panel@panel.test');
  expect(alerts()[0]).toContain('Subject: Firing: web-1: The CPU is at 97.3 %, the limit is 90 %');
  await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'DELIVERED', 'the log');
});
