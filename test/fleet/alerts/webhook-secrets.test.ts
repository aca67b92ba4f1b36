import { expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel } from '../../support/panel.js';
import { soon } from './support/panel.js';
import { subscribe, WebhookReceiver } from './support/webhook.js';

test('a webhook is signed with the old and the new secret for a day after a rotation, also a repeated one, then with the new one', async () => {
  await using panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
  await using receiver = await WebhookReceiver.start();
  const tenant = await panel.world.tenant();
  const id = await subscribe(tenant, receiver);
  const rotate = async (keepPreviousHours?: number) => {
    const rotated = await tenant.graphql<{ rotateWebhookSecret: { secret: string } }>(
      'mutation($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }',
      { input: { id, keepPreviousHours } },
    );
    return dataOf(rotated).rotateWebhookSecret.secret;
  };
  // The answers to the first two are lost: what the receiver has goes on to count.
  await rotate();
  await rotate();
  receiver.secrets.push(await rotate());
  const send = async () => {
    const count = receiver.received.length;
    dataOf(
      await tenant.graphql('mutation($id: ID!) { sendTestNotification(channelId: $id) { id } }', { id }),
    );
    await soon(panel, async () => receiver.received.length > count, 'the test');
    return receiver.received.at(-1)?.signedBy;
  };
  expect(await send()).toEqual(receiver.secrets);
  await panel.clock.advance(24 * 60 * 60 * 1000);
  // The token of the one who asks has ended meanwhile.
  const login = await panel.world.login(tenant.account.email, tenant.account.password);
  Object.assign(tenant, { token: login.body.access_token });
  expect(await send()).toEqual([receiver.secrets[1]]);
  await rotate();
  const lastSecret = await rotate(0);
  receiver.secrets.push(lastSecret);
  expect(await send(), 'the former ones are not to be kept').toEqual([lastSecret]);
  // One may come again, under the same id, when its answer was lost while a day went by in a moment.
  const messages = new Map(receiver.received.map(({ id, body }) => [id, [body.type, body.data.alerts]]));
  expect([...messages.values()]).toEqual([
    ['test', []],
    ['test', []],
    ['test', []],
  ]);
});
