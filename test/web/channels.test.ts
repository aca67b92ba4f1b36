import { afterAll, describe, expect, test, vi } from 'vitest';

import { confirm, MailServer } from '../fleet/alerts/support/mail.js';
import { WebhookReceiver } from '../fleet/alerts/support/webhook.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { choose, nothingWrong, Person, press, tabTo } from './support/console.js';
import { answerLost, fits, focusedFault, heldUp, line, open, retype, unanswered } from './support/editing.js';
import { passUntil } from './support/passing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

let mails: MailServer;
afterAll(async () => mails?.[Symbol.asyncDispose]());
const stage = useStage(async () => {
  mails = await MailServer.start();
  return startTestPanel({
    SMTP_URL: mails.url,
    MAIL_FROM: 'panel@panel.test',
    ALLOW_PRIVATE_TARGETS: '127.0.0.1',
  });
});
const { at } = stage;

describe.skipIf(!isChromiumThere)('a channel', () => {
  test('is a webhook that shows its secret once, is tested, says what came of it, is changed and removed', async () => {
    const tenant = await stage.panel.world.tenant();
    await using receiver = await WebhookReceiver.start();
    expect(
      await at(tenant, '/alerts/channels', async (page) => {
        await page.getByText('Nobody is told of alerts yet.').waitFor();
        await page.getByText('Nothing was sent yet.').waitFor();
        await choose(page, 'How it is told', 'Webhook');
        await tabTo(page, 'Name of the channel', 120);
        await page.keyboard.insertText('On call');
        await tabTo(page, 'Address of the webhook');
        await page.keyboard.insertText('https://10.0.0.1/hook');
        await page.keyboard.press('Enter');
        expect(await focusedFault(page)).toMatch(/public|private/);
        await retype(page, 'Address of the webhook', receiver.url);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: 'Secret of On call' }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        receiver.secrets.push(await page.getByLabel('Secret', { exact: true }).inputValue());
        await press(page, 'Copy: Secret');
        // By its role nothing is found that is hidden from whoever listens.
        await page
          .getByRole('status')
          .filter({ hasText: /^Secret (copied|selected)/ })
          .waitFor();
        await press(page, 'I have copied it');
        const row = line(page, receiver.url);
        await row.getByText('From warning on, told again every 4 hours, also of ends').waitFor();
        expect(await page.content()).not.toContain('whsec_');
        await fits(page);

        await press(page, 'Send a test to On call');
        const sent = page.getByRole('list', { name: 'Sent lately' }).getByRole('listitem');
        await sent.waitFor();
        await passUntil(stage.panel, sent.getByText('Delivered'));
        await sent.getByText('1 attempt: answered 204').waitFor();
        expect(receiver.received.map(({ body, signedBy }) => [body.type, signedBy])).toEqual([
          ['test', receiver.secrets],
        ]);

        // What can not be read is not said to be removed.
        const channels = await unanswered(page, 'Channels');
        await page.reload();
        await sent.getByText(/^Channel /).waitFor();
        expect(await sent.getByText('A channel that was removed').count()).toBe(0);
        await channels.mend();
        await sent.getByText('On call').waitFor();

        await open(page, 'Edit On call', 'Channel: On call');
        await retype(page, 'Told again after, in minutes', '3');
        await press(page, 'Save');
        expect(await focusedFault(page)).toMatch(/5 to 10080/);
        await retype(page, 'Told again after, in minutes', '0');
        await choose(page, 'From severity', 'Critical');
        await tabTo(page, /Also when/);
        await page.keyboard.press('Space');
        await press(page, 'Save');
        await row.getByText('From critical on, told once').waitFor();

        await open(page, 'Another secret for On call', 'Another secret for On call');
        await retype(page, 'The former one counts for, in hours', '0');
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: 'Secret of On call' }).waitFor();
        await press(page, 'I have copied it');
        expect(await row.getByText('signed with the former secret too').count()).toBe(0);
        await press(page, 'Another secret for On call', 'Another secret');
        await page.getByRole('dialog', { name: 'Secret of On call' }).waitFor();
        expect(await page.getByLabel('Secret', { exact: true }).inputValue()).not.toBe(receiver.secrets[0]);
        await press(page, 'I have copied it');
        await row.getByText('signed with the former secret too until').waitFor();
        await press(page, 'Switch off On call');
        await row.getByText('Off', { exact: true }).waitFor();
        expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Switch on On call');
        await page.keyboard.press('Enter');
        await row.getByText('Active', { exact: true }).waitFor();
        await press(page, 'Remove On call', 'Remove');
        await page.getByText('Nobody is told of alerts yet.').waitFor();
        await sent.getByText('A channel that was removed').waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is not lost by a press beside its dialog: neither what was typed nor a secret, nor what came of a change', async () => {
    const tenant = await stage.panel.world.tenant();
    await using receiver = await WebhookReceiver.start();
    expect(
      await at(tenant, '/alerts/channels', async (page) => {
        await choose(page, 'How it is told', 'Webhook');
        await retype(page, 'Name of the channel', 'On call');
        await retype(page, 'Address of the webhook', receiver.url);
        await page.keyboard.press('Enter');
        const secret = page.getByRole('dialog', { name: 'Secret of On call' });
        await secret.waitFor();
        await page.mouse.click(4, 4);
        await page.keyboard.press('Escape');
        await press(page, 'I have copied it');
        await secret.waitFor({ state: 'detached' });

        await open(page, 'Edit On call', 'Channel: On call');
        await retype(page, 'Told again after, in minutes', '3');
        await page.mouse.click(4, 4);
        expect(await page.getByRole('dialog').getByLabel('Told again after, in minutes').inputValue()).toBe(
          '3',
        );
        const letGo = await heldUp(page, 'UpdateNotificationChannel');
        await press(page, 'Save');
        await press(page, 'Cancel');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        letGo();
        await page.getByText(/^Not done: .*5 to 10080/).waitFor();
        // Of a change whose answer is lost nobody knows that it was not done.
        await open(page, 'Edit On call', 'Channel: On call');
        await retype(page, 'Told again after, in minutes', '30');
        await answerLost(page, 'UpdateNotificationChannel');
        const letItGo = await heldUp(page, 'UpdateNotificationChannel');
        await press(page, 'Save');
        await press(page, 'Cancel');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        letItGo();
        await page.getByText(/^The panel was lost while it did this, and it may be done or not\./).waitFor();
        expect(await page.getByText(/Not done:.*may be done/).count()).toBe(0);

        // Where nothing can be lost it is a way out.
        await press(page, 'Remove On call');
        await page.getByRole('dialog').waitFor();
        await page.mouse.click(4, 4);
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await line(page, receiver.url).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('mails those of its addresses that have confirmed, and says who has not', async () => {
    const tenant = await stage.panel.world.tenant();
    const [willing, silent] = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`];
    expect(
      await at(tenant, '/alerts/channels', async (page) => {
        await tabTo(page, 'Name of the channel', 120);
        await page.keyboard.insertText('Office');
        await tabTo(page, 'E-mail addresses');
        await page.keyboard.insertText(`${willing}, nobody`);
        await page.keyboard.press('Enter');
        expect(await focusedFault(page)).toMatch(/e-?mail/i);
        await retype(page, 'E-mail addresses', `${willing}, ${silent}`);
        await page.keyboard.press('Enter');
        await line(page, `${silent}: not confirmed, so it gets no alerts`).first().waitFor();
        await confirm(stage.panel, await mails.confirmationToken(willing));
        await page.reload();
        await line(page, `${willing}: confirmed`).first().waitFor();
        await page.getByRole('button', { name: 'Mail the links again to Office' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is not offered to whoever may not see where alerts go', async () => {
    const tenant = await stage.panel.world.tenant();
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    await using vera = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await vera.signIn(tenant, '/alerts/channels');
    await page.getByText('Your role does not allow this.').first().waitFor();
    expect(await page.getByText('New channel').count()).toBe(0);
  });
});
