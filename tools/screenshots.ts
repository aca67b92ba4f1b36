import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium, type Locator, type Page } from 'playwright-core';

/**
 * Pictures of every page of the console, light and dark, for docs/console. Of a running demo:
 * `npm run screenshots -- [address]`.
 */
const url = process.argv[2] ?? 'http://localhost:4000';
const account = { email: 'demo@quazzar.test', password: 'demo-password-1234' };
const administrator = { email: 'admin@quazzar.test', password: 'admin-password-1234' };
const folder = join(import.meta.dirname, '..', 'docs', 'console');

/** Its name, its address, and its heading. */
const pages = [
  ['overview', '/', 'Overview'],
  ['instances', '/instances?sort=status', 'Instances'],
  ['alerts', '/alerts', 'Alerts'],
  ['alert-rules', '/alerts/rules', 'Alert rules'],
  ['channels', '/alerts/channels', 'Channels'],
  ['commands', '/commands', 'Commands'],
  ['new-command', '/commands/new?tag=demo', 'Send a command'],
  ['groups', '/groups', 'Groups'],
  ['maintenance', '/maintenance', 'Maintenance windows'],
  ['enrollment', '/enrollment', 'Enrollment'],
  ['policies', '/governance', 'Policies'],
  ['scores', '/governance/scores', 'Scores'],
  ['canaries', '/governance/canaries', 'Canaries'],
  ['gitops', '/governance/gitops', 'GitOps'],
  ['servers', '/servers', 'Servers'],
  ['kubernetes', '/kubernetes', 'Kubernetes'],
  ['billing', '/billing', 'Billing'],
  ['licences', '/licences', 'Licences'],
  ['clients', '/clients', 'Clients'],
  ['partners', '/partners', 'Partners'],
  ['members', '/members', 'Members'],
  ['branding', '/organization/branding', 'Branding'],
  ['api-keys', '/api-keys', 'API keys'],
  ['audit', '/audit', 'Audit trail'],
  ['profile', '/profile', 'Your account'],
] as const;

/** A page of one thing: the list that leads to it, and whose first one is shown. Where there is none it is left out. */
const ones = [
  ['command', '/commands', 'Commands'],
  ['policy', '/governance', 'In force'],
  ['canary', '/governance/canaries', 'Rollouts'],
  ['server', '/servers', 'Servers'],
  ['cluster', '/kubernetes', 'Clusters'],
  ['deployment', '/kubernetes', 'Deployments'],
  ['client', '/clients', 'Clients'],
  ['partner', '/partners', 'Registrations'],
] as const;

async function take(page: Page, name: string, scheme: string): Promise<void> {
  // Charts are drawn by then, and what the page asks for is mostly there.
  await page.waitForTimeout(1_500);
  const reading = page.getByText(/^Reading/);
  for (let at = 0; at < 30 && (await reading.count()) > 0; at += 1) await page.waitForTimeout(500);
  await page.screenshot({ path: join(folder, `${name}-${scheme}.png`) });
}

/** Has a pack of policies in force, so that there is something to see: the demo begins without any. */
async function governSomething(page: Page): Promise<void> {
  await page.goto(`${url}/governance`);
  const install = page.getByRole('button', { name: /^Install / }).first();
  await install.waitFor();
  if (!(await page.getByText('There is no policy yet.').isVisible())) return;
  await install.click();
  await page.getByText(/ is installed\.$/).waitFor();
  // Nodes are judged within seconds.
  await page.waitForTimeout(8_000);
}

/** Signs in where the page asks for it. */
async function signIn(page: Page, { email, password }: typeof account): Promise<void> {
  await page.goto(url);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

async function takeOnes(page: Page, scheme: string): Promise<void> {
  for (const [name, path, list] of ones) {
    await page.goto(url + path);
    const first = page.getByRole('list', { name: list, exact: true }).getByRole('link').first();
    if (!(await isThere(first, 5_000))) continue;
    await first.click();
    await page.waitForURL(/\/\w+_\w+$/);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await take(page, name, scheme);
  }
}

async function isThere(link: Locator, timeout: number): Promise<boolean> {
  return link.waitFor({ timeout }).then(
    () => true,
    () => false,
  );
}

/** Waits for lists to be read. */
async function isListed(page: Page, name: string): Promise<boolean> {
  return isThere(page.getByRole('link', { name }).first(), 3_000);
}

/** Has a command sent, and one in steps. */
async function commandSomething(page: Page): Promise<void> {
  await page.goto(`${url}/governance/canaries`);
  if (await isListed(page, 'Diagnostics first')) return;
  await page.getByLabel('Name of the canary').fill('Diagnostics first');
  await page.getByLabel('Command', { exact: true }).selectOption('RUN_DIAGNOSTICS');
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('heading', { level: 1, name: 'Diagnostics first' }).waitFor();
  await page.goto(`${url}/commands/new?tag=demo`);
  await page.getByText(/^It touches /).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.waitForURL(/\/commands\/cmd_\w+$/);
}

/** Has a server made and an image run, so that there is something to see: the demo begins without either. */
async function hostSomething(page: Page): Promise<void> {
  await page.goto(`${url}/servers`);
  await page.getByLabel('Name of the server').waitFor();
  if (!(await isListed(page, 'demo-server'))) {
    await page.getByLabel('Name of the server').fill('demo-server');
    await page
      .getByText(/at most .* a month/)
      .last()
      .waitFor();
    await page.getByRole('button', { name: 'Order it' }).click();
    await page.getByRole('heading', { level: 1, name: 'demo-server' }).waitFor();
  }
  await page.goto(`${url}/kubernetes`);
  await page.getByLabel('Name of the deployment').waitFor();
  if (await isListed(page, 'default/shop')) return;
  await page.getByLabel('Name of the deployment').fill('shop');
  await page.getByLabel('Image', { exact: true }).fill('nginx:1.27');
  await page.getByRole('button', { name: 'Run it' }).click();
  await page.getByRole('link', { name: 'default/shop' }).first().waitFor();
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
for (const scheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('E-mail').waitFor();
  await take(page, 'sign-in', scheme);
  await signIn(page, account);
  await governSomething(page);
  await commandSomething(page);
  await hostSomething(page);
  for (const [name, path, shown] of pages) {
    await page.goto(url + path);
    await page.getByRole('heading', { level: 1, name: shown }).waitFor();
    await take(page, name, scheme);
  }
  await page.goto(`${url}/instances`);
  await page.getByRole('row').nth(1).click();
  await page.getByRole('img', { name: /^CPU: / }).waitFor();
  await take(page, 'instance', scheme);
  await takeOnes(page, scheme);
  await context.close();
  const office = await browser.newContext({ colorScheme: scheme, viewport: { width: 1280, height: 800 } });
  const desk = await office.newPage();
  await signIn(desk, administrator);
  await desk.goto(`${url}/ha`);
  await desk.getByRole('list', { name: 'Processes' }).getByRole('listitem').first().waitFor();
  await take(desk, 'ha', scheme);
  await desk.goto(`${url}/tenants`);
  await desk.getByRole('list', { name: 'Organizations' }).getByRole('listitem').first().waitFor();
  await take(desk, 'tenants', scheme);
  await office.close();
}
await browser.close();
