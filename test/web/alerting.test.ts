import { afterAll, describe, expect, test, vi } from 'vitest';

import { confirm, MailServer } from '../fleet/alerts/support/mail.js';
import { firing } from '../fleet/alerts/support/panel.js';
import { WebhookReceiver } from '../fleet/alerts/support/webhook.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, Person, press, tabTo } from './support/console.js';
import { fits, focusedFault, heldUp, line, open, retype, unanswered } from './support/editing.js';
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

interface Rule {
  kind: string;
  isEnabled: boolean;
  severity: string;
  threshold: number | null;
  forSeconds: number;
}

async function cpuRule(tenant: Tenant): Promise<Rule> {
  const answer = await tenant.graphql<{ alertRules: Rule[] }>(
    '{ alertRules { kind isEnabled severity threshold forSeconds } }',
  );
  return dataOf(answer).alertRules.find(({ kind }) => kind === 'CPU')!;
}

describe.skipIf(!isChromiumThere)('alerts', () => {
  test('say who has them in hand and what holds them, are narrowed by rule and taken up together; a new silence is shown to others', async () => {
    const tenant = await stage.panel.world.tenant();
    const { node } = await firing(stage.panel, tenant, 'web-1');
    // As if it had fallen silent since.
    const outage = async (instanceId: string, id: string) =>
      stage.panel.sql(
        `insert into fleet.alert (tenant_id, id, instance_id, instance_name, rule, component, severity, status, message,
           count, started_at, fired_at, last_seen_at, updated_at, observed_to)
         values ($1, $2, $3, 'web', 'OFFLINE', '', 'CRITICAL', 'FIRING', 'It has fallen silent', 1, $4, $4, $4, $4, $4)`,
        [tenant.id, `alr_${id.padStart(26, '0')}`, instanceId, stage.panel.clock.now()],
      );
    await outage(node.id, '1');
    await outage('inst_of_before', '2');
    expect(
      await at(tenant, '/alerts', async (page) => {
        const rows = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem');
        await rows.nth(2).waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('Held by the outage of its node').waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('no channel told').waitFor();
        await choose(page, 'Rule', 'Offline');
        await rows.nth(2).waitFor({ state: 'detached' });
        await open(page, 'Acknowledge all of these', 'Acknowledge alerts');
        await page.getByRole('dialog').getByText('2 alerts fire (offline).').waitFor();
        await retype(page, 'Comment', 'The network is being mended');
        await page.keyboard.press('Enter');
        const taken = rows.filter({ hasText: 'Acknowledged by Owner' });
        await expect.poll(async () => taken.count()).toBe(2);
        await taken.first().getByText('The network is being mended').waitFor();
        await choose(page, 'Rule', 'Any');
        await rows.nth(2).waitFor();
        expect(await taken.count()).toBe(2);
        await press(page, 'Resolve Offline of web');
        await page
          .getByRole('dialog')
          .getByText('no alert comes again while the node stays offline')
          .waitFor();
        // A key that is pressed twice leaves it.
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        expect(await taken.count()).toBe(2);
        await page.getByText('None: channels are told of every alert.').waitFor();
        dataOf(
          await tenant.graphql(
            'mutation ($input: CreateSilenceInput!) { createSilence(input: $input) { id } }',
            {
              input: {
                matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
                endsAt: new Date(stage.panel.clock.now().getTime() + 3_600_000).toISOString(),
                comment: 'A colleague is at it',
              },
            },
          ),
        );
        await page.getByText('A colleague is at it').waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('silenced until').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an alert rule', () => {
  test('is given another limit, what is wrong stands beside its field, and is switched off, on, and reset', async () => {
    const tenant = await stage.panel.world.tenant();
    const before = await cpuRule(tenant);
    expect(
      await at(tenant, '/alerts/rules', async (page) => {
        await heading(page, 'Alert rules');
        const cpu = page.getByRole('listitem').filter({ hasText: 'The CPU in use is at' });
        await open(page, 'Edit the rule CPU', 'Rule: CPU');
        await retype(page, 'Limit, in percent', '150');
        await retype(page, 'Has to hold for, in seconds', '90');
        await choose(page, 'Severity', 'Critical');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Threshold must be at most 100.');
        expect(await faultsOf(page)).toEqual([]);
        expect(await cpuRule(tenant)).toEqual(before);
        await retype(page, 'Limit, in percent', '80.5');
        await page.keyboard.press('Enter');
        await cpu.getByText('80.5 % or above, for 90 seconds.').waitFor();
        expect(await page.getByRole('dialog').count()).toBe(0);
        await fits(page);
        expect(await cpuRule(tenant)).toMatchObject({
          threshold: 80.5,
          forSeconds: 90,
          severity: 'CRITICAL',
        });
        await press(page, 'Switch off the rule CPU', 'Switch off');
        await cpu.getByText('Off', { exact: true }).waitFor();
        expect((await cpuRule(tenant)).isEnabled).toBe(false);
        await press(page, 'Switch on the rule CPU');
        await cpu.getByText('Active', { exact: true }).waitFor();
        await press(page, 'Reset the rule CPU', 'Reset');
        await cpu.getByText('As the panel comes').waitFor();
        expect(await cpuRule(tenant)).toEqual(before);
      }),
    ).toEqual(nothingWrong);
  });

  test('is only looked at by whoever may not change it', async () => {
    const tenant = await stage.panel.world.tenant();
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, '/alerts/rules', async (page) => {
        await page.getByText('The CPU in use is at').waitFor();
        const buttons = page.locator('main').getByRole('button');
        expect(await buttons.count()).toBe(0);
        expect(await page.getByRole('link', { name: 'Channels' }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});

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
