import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';
import { expect, test } from 'vitest';

import { createLogger } from '#platform/logger.js';
import { createMailer } from '#platform/mail.js';

test('a mail server that is slow with each recipient is left in time, before it has taken the mail', async () => {
  let asked = 0;
  let taken = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo(_address, _session, done) {
      asked += 1;
      setTimeout(done, 400);
    },
    onData(stream, _session, done) {
      taken += 1;
      stream.resume().on('end', done);
    },
  });
  const closed = new Promise((resolve) => server.on('close', resolve));
  const left = new Promise<void>((resolve) => (server.onClose = () => resolve()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  const logger = createLogger('silent');
  const mailer = createMailer({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from: 'panel@panel.test',
    logger,
    withinMs: 1_000,
  });
  const to = Array.from({ length: 10 }, (_, at) => `ops-${at}@example.com`).join(', ');
  await expect(mailer.send({ to, subject: 'Firing', text: 'Something' })).rejects.toMatchObject({
    name: 'AbortError',
  });
  await left;
  expect({ isAsked: asked > 0, taken }).toEqual({ isAsked: true, taken: 0 });
  server.close();
  await closed;
});
