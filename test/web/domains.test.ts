import { describe, expect, test, vi } from 'vitest';

import { proTenant } from '../billing/support/billing-panel.js';
import { drive, isKnown, workers } from '../governance/support/canaries.js';
import { policy as declared } from '../governance/support/gitops.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import { choose, heading, nothingWrong, Person, press, tabTo } from './support/console.js';
import { focusedFault, open, retype } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { passUntil } from './support/passing.js';
import { useStage } from './support/stage.js';
import { startWholePanel } from './support/whole-panel.js';

// Steps follow each other through queues, which take their time on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startWholePanel());
const { at } = stage;

/** What opens its repository, and whether webhooks are taken. */
async function secretsOf(tenant: Tenant): Promise<unknown[]> {
  const answer = await tenant.graphql<{
    gitOpsConfigs: { nodes: { credentialKind: string | null; takesWebhooks: boolean }[] };
  }>('{ gitOpsConfigs { nodes { credentialKind takesWebhooks } } }');
  return dataOf(answer).gitOpsConfigs.nodes.flatMap(({ credentialKind, takesWebhooks }) => [
    credentialKind,
    takesWebhooks,
  ]);
}

const paying = async () => (await stage.panel.world.tenant()).grantPlan('PRO');

describe.skipIf(!isChromiumThere)('governance', () => {
  test('a canary is begun by keyboard, and its steps move as nodes do', async () => {
    const tenant = await paying();
    const all = await workers(tenant, 2);
    await until(async () => isKnown(stage.panel, tenant, 2), 'governance to know the nodes');
    expect(
      await at(tenant, '/governance/canaries', async (page) => {
        await tabTo(page, 'Name of the canary');
        await page.keyboard.insertText('To 0.3.0');
        await tabTo(page, 'To version');
        await page.keyboard.insertText('0.3.0');
        await page.getByLabel('Steps, in percent').fill('50');
        await page.getByLabel('Each watched for, in minutes').fill('1');
        await press(page, 'Begin');
        await heading(page, 'To 0.3.0');
        await page.getByText('0 of 2 have it').waitFor();
        // Those of the first step are at it.
        const now = page.locator('[aria-current="step"]');
        await now.filter({ hasText: '50 %, watched for 1 minute (now)' }).waitFor();
        expect(await now.count()).toBe(1);
        const id = new URL(page.url()).pathname.split('/').at(-1)!;
        await drive(stage.panel, tenant, id, all, ['succeeded']);
        await page.getByText('2 of 2 have it').waitFor();
        await page.locator('main').getByText('Succeeded', { exact: true }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('a canary is made as carefully as somebody wants it: with a way back, a start, and a step that waits', async () => {
    const tenant = await paying();
    await workers(tenant, 2);
    await until(async () => isKnown(stage.panel, tenant, 2), 'governance to know the nodes');
    let id = '';
    expect(
      await at(tenant, '/governance/canaries', async (page) => {
        await page.getByLabel('Name of the canary').fill('Restarts');
        await choose(page, 'Command', 'Restart');
        await page.getByLabel('Steps, in percent').fill('50, 60');
        expect(await page.getByLabel('It begins').isVisible()).toBe(false);
        await press(page, 'How careful');
        await page.getByLabel('Minutes that 60 % are watched').fill('30');
        await page.getByLabel('After 50 %, wait until somebody resumes it').check();
        await choose(page, 'How it is taken back', 'By diagnostics');
        await retype(page, 'Points that processor and memory may rise', '0');
        await page.getByLabel('Minutes within which the command has to end').fill('120');
        await page.getByLabel('It begins').fill('2090-01-31T10:00');
        await page.getByLabel('Begin outside of maintenance windows too').check();
        await press(page, 'Begin');
        expect(await focusedFault(page)).toMatch(/from 1 to 100/);
        await retype(page, 'Points that processor and memory may rise', '30');
        await press(page, 'Begin');
        await heading(page, 'Restarts');
        await page.locator('main').getByText('Pending', { exact: true }).waitFor();
        await page.getByText('50 %, watched for 10 minutes, then it waits for somebody').waitFor();
        await page.getByText('60 %, watched for 30 minutes').waitFor();
        id = new URL(page.url()).pathname.split('/').at(-1)!;
        // Until it begins it is changed.
        await open(page, 'Edit Restarts', 'Edit Restarts');
        await retype(page, 'Steps, in percent', '60, 50');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Percent must be above that of the step before');
        await retype(page, 'Steps, in percent', '50, 70');
        await retype(page, 'Minutes that 70 % are watched', '20');
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Save');
        await page.getByText('The canary is changed.').waitFor();
        await page.getByText('50 %, watched for 10 minutes, then it waits for somebody').waitFor();
        await page.getByText('70 %, watched for 20 minutes').waitFor();
        await page.goto(`${stage.panel.panel.url}/governance/canaries`);
        await choose(page, 'State', 'Paused');
        await page.getByText('None is in this state.').waitFor();
        await choose(page, 'State', 'Pending');
        await page.getByRole('link', { name: 'Restarts' }).waitFor();
      }),
    ).toEqual(nothingWrong);
    const [made] = await stage.panel.sql(
      'select rollback, settings, date_part($1, start_at) as year from governance.canary where id = $2',
      ['year', id],
    );
    expect(made).toEqual({
      rollback: { command: 'RUN_DIAGNOSTICS', params: {} },
      settings: {
        failureLimit: 0,
        intervalSeconds: 60,
        maxRisePercent: 30,
        maxScoreDrop: 5,
        maxFailures: 0,
        progressDeadlineSeconds: 7_200,
        ignoresWindows: true,
      },
      year: 2090,
    });
  });

  test('a repository shows its difference, and is put into force when that is confirmed', async () => {
    const tenant = await paying();
    await stage.panel.git.commit({ 'a.yaml': declared('Encrypted') });
    expect(
      await at(tenant, '/governance/gitops', async (page) => {
        await tabTo(page, 'Name of the repository');
        await page.keyboard.insertText('Fleet');
        await tabTo(page, 'Its address');
        await page.keyboard.insertText(stage.panel.git.url);
        await page.keyboard.press('Enter');
        await page.getByText('1 difference').waitFor({ timeout: 60_000 });
        await page.getByText('Create policy Encrypted').waitFor();
        await press(page, 'Sync Fleet');
        await page.getByRole('dialog').getByText('Put into force: 1 made.').waitFor();
        await press(page, 'Sync');
        await page.getByText('Synced', { exact: true }).waitFor({ timeout: 60_000 });
        await press(page, 'Commits of Fleet');
        await page.getByText('by Ada Lovelace').waitFor();
        await press(page, 'Pause Fleet');
        await page.getByText('paused: it is not looked at').waitFor();
        await press(page, 'Take up again Fleet');
        await page.getByText('Fleet is looked at again.').waitFor();
        await open(page, 'Edit Fleet', 'Repository: Fleet');
        await retype(page, 'Looked at every, in seconds', '5');
        await press(page, 'Save');
        expect(await focusedFault(page)).toMatch(/30 to 86400/);
        await retype(page, 'Looked at every, in seconds', '300');
        await press(page, 'Save');
        await page.getByText('Fleet is changed, and looked at.').waitFor();
        await open(page, 'Edit Fleet', 'Repository: Fleet');
        await retype(page, 'Name that goes with the token', 'x-token-auth');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('It takes either a token or a key.');
        await retype(page, 'Token that may read it', 'secret-of-fleet');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('A token needs an address of https.');
        await retype(page, 'Its address', 'https://127.0.0.1:2999/other.git');
        await retype(page, 'Secret of webhooks', 'a secret of webhooks');
        await press(page, 'Save');
        await expect.poll(async () => secretsOf(tenant), { timeout: 15_000 }).toEqual(['TOKEN', true]);
        await open(page, 'Edit Fleet', 'Repository: Fleet');
        await retype(page, 'Its address', 'https://127.0.0.1:2999/another.git');
        await press(page, 'Save');
        await page.getByText('Another address needs a credential of its own').waitFor();
        for (const box of [/^Nothing: it is public/, /^Take no webhooks any more/]) {
          await tabTo(page, box, 120);
          await page.keyboard.press('Space');
        }
        await press(page, 'Save');
        await expect.poll(async () => secretsOf(tenant), { timeout: 15_000 }).toEqual([null, false]);
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('hosting', () => {
  test('a provider is connected, a server ordered by its price, and its way to the first beat is shown', async () => {
    const tenant = await paying();
    expect(
      await at(tenant, '/servers', async (page) => {
        await page.getByText('Connect a provider first').waitFor();
        await press(page, 'Connect Hetzner Cloud');
        await tabTo(page, 'API token of Hetzner Cloud');
        await page.keyboard.insertText(stage.panel.hetzner.token());
        await page.keyboard.press('Enter');
        await page.getByText('Hetzner Cloud is connected.').waitFor();
        await page
          .getByText(/at most €[\d.]+ a month/)
          .first()
          .waitFor();
        await tabTo(page, 'Name of the server');
        await page.keyboard.insertText('web-1');
        await press(page, 'Order it');
        await heading(page, 'web-1');
        await page.getByRole('progressbar', { name: 'Progress of web-1' }).waitFor();
        await page.goBack();
        const row = page.getByRole('listitem').filter({ hasText: 'web-1' });
        await passUntil(stage.panel, row.getByText('Ready', { exact: true }));
        await row.getByRole('link', { name: 'its instance' }).waitFor();
        await press(page, 'Protect web-1');
        await page.getByText('web-1 is protected.').waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('a cluster is registered by its kubeconfig, and what is run in it is followed', async () => {
    const tenant = await paying();
    expect(
      await at(tenant, '/kubernetes', async (page) => {
        await page.getByText('None is known yet.').waitFor();
        await tabTo(page, 'Name of the cluster', 120);
        await page.keyboard.insertText('main');
        await tabTo(page, 'Whose it is');
        await page.keyboard.insertText('us');
        await tabTo(page, 'Where it is');
        await page.keyboard.insertText('here');
        await tabTo(page, 'Kubeconfig');
        await page.keyboard.insertText(stage.panel.kubernetes.kubeconfig({ by: 'token' }));
        await press(page, 'Register it');
        await page.getByText('3 of 3 nodes ready').waitFor();
        await tabTo(page, 'Name of the deployment', 120);
        await page.keyboard.insertText('shop');
        await tabTo(page, 'Image');
        await page.keyboard.insertText('nginx:1.27');
        await retype(page, 'Ports', '80, 443');
        await retype(page, 'Environment variables', 'MODE');
        await press(page, 'Run it');
        await page.getByRole('alert').filter({ hasText: 'NAME=value' }).waitFor();
        await retype(page, 'Environment variables', 'MODE=fast\nRULE=a=b');
        await press(page, 'Run it');
        const row = page.getByRole('listitem').filter({ hasText: 'default/shop' });
        await passUntil(stage.panel, row.getByText('1 of 1 ready'));
        const there = JSON.stringify(stage.panel.kubernetes.deployment('default', 'shop')?.spec);
        for (const part of ['"containerPort":80', '"containerPort":443', '"fast"', '"a=b"'])
          expect(there).toContain(part);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('billing', () => {
  test('another plan shows what it costs at once, line by line, asks before that is paid, and is in force when it is taken or as it says', async () => {
    const tenant = await proTenant(stage.panel);
    expect(
      await at(tenant, '/billing', async (page) => {
        await page.getByText('By your subscription.').waitFor();
        await choose(page, 'Until now', 'A year');
        await expect.poll(() => new URL(page.url()).search).toBe('?range=12mo');
        await page.reload();
        await page.getByText('By your subscription.').waitFor();
        expect(await page.getByLabel('Until now').inputValue()).toBe('12mo');
        // This panel has the machine's time.
        expect(await page.getByRole('heading', { name: 'Test clock' }).count()).toBe(0);
        await page.getByRole('listitem').filter({ hasText: '$49.00' }).first().waitFor();
        await choose(page, 'Paid', 'Yearly');
        await page.getByText(/\$\d+\.\d\d to pay at once/).waitFor();
        await page.getByText('(prorated)').first().waitFor();
        await press(page, 'Change to Pro');
        await page.getByText(/^\$\d+\.\d\d is paid now, by the card/).waitFor();
        await press(page, 'Change to Pro');
        await page.getByText('The plan is changed.').waitFor();
        await page.getByText('Paid yearly').waitFor();
        await choose(page, 'Paid', 'Monthly');
        await page.getByText(/in force from .* on/).waitFor();
        await press(page, 'Change to Pro');
        await page.getByText(/^It becomes Pro on .*; until then all stays\.$/).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('a subscription beside a granted plan is shown, and ended there', async () => {
    const tenant = await proTenant(stage.panel);
    await tenant.grantPlan('ENTERPRISE');
    expect(
      await at(tenant, '/billing', async (page) => {
        await page.getByText('Granted by who runs this panel.').waitFor();
        await page.getByText('Paid monthly').waitFor();
        await page.getByRole('button', { name: 'Cards and addresses, at the payment provider' }).waitFor();
        await press(page, 'End the subscription', 'End the subscription');
        await page.getByRole('button', { name: 'Keep the plan' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('whoever has no subscription is sent to the payment', async () => {
    const tenant = await stage.panel.world.tenant();
    await using person = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await person.signIn(tenant, '/billing');
    await choose(page, 'Plan', 'Pro');
    await page.getByLabel('Try it for 14 days first, without payment').check();
    await page.getByLabel('Coupon').fill('nothing-of-that-name');
    await press(page, 'Go to the payment of Pro');
    await page.getByText('There is no such coupon, or it has ended').waitFor();
    await page.getByLabel('Coupon').fill('');
    await press(page, 'Go to the payment of Pro');
    await page.waitForURL((url) => url.href.startsWith(stage.panel.stripe.url));
    await page.goto(`${stage.panel.panel.url}/billing?checkout=cancelled`);
    await page.getByText('Nothing was bought.').waitFor();
    expect(person.complaints).toEqual([]);
  });
});
