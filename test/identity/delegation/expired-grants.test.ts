import { expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { act, grant } from './support.js';

const hour = 60 * 60 * 1000;

test('an expired grant is 403, and so is everything that was begun under it', async () => {
  await using mailbox = await Mailbox.start();
  await using panel = await startTestPanel({ SMTP_URL: mailbox.url });
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent);
  dataOf(await grant(acme));
  await panel.clock.leap(hour - 5 * 60_000);
  const again = (await panel.world.login(parent.account.email, parent.account.password)).body.access_token;
  const { accessToken: token, expiresIn } = dataOf(await act(panel, again, acme.id)).actInTenant;
  expect(expiresIn).toBe(5 * 60);
  const status = async () => (await panel.world.rest('/api/fleet/instances', { token })).status;
  expect(await status()).toBe(200);
  await panel.clock.leap(5 * 60_000);
  expect(await status()).toBe(403);
  expect(refusal(await act(panel, again, acme.id))).toEqual({ code: 'FORBIDDEN', reason: 'GRANT_ENDED' });
  // A user who signs out at home is out at the client's as well.
  dataOf(
    await grant(
      Object.assign(Object.create(acme), {
        token: (await panel.world.login(acme.account.email, acme.account.password)).body.access_token,
      }),
    ),
  );
  const second = dataOf(await act(panel, again, acme.id)).actInTenant.accessToken;
  expect((await panel.world.rest('/api/auth/logout', { method: 'POST', token: again })).status).toBe(204);
  await until(
    async () => (await panel.world.rest('/api/fleet/instances', { token: second })).status === 401,
    'the end of the session',
  );
});
