import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium, type Page } from 'playwright-core';

/**
 * Pictures of every page of the console, light and dark, for docs/console. Of a running demo:
 * `npm run screenshots -- [address]`.
 */
const url = process.argv[2] ?? 'http://localhost:4000';
const account = { email: 'demo@quazzar.test', password: 'demo-password-1234' };
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
  ['clients', '/clients', 'Clients'],
  ['partners', '/partners', 'Partners'],
  ['members', '/members', 'Members'],
  ['branding', '/organization/branding', 'Branding'],
  ['api-keys', '/api-keys', 'API keys'],
  ['audit', '/audit', 'Audit trail'],
  ['profile', '/profile', 'Your account'],
] as const;

async function take(page: Page, name: string, scheme: string): Promise<void> {
  // What the page asks for is there by then, and charts are drawn.
  await page.waitForTimeout(1_500);
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
  await page.getByLabel('E-mail').fill(account.email);
  await page.getByLabel('Password').fill(account.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await governSomething(page);
  for (const [name, path, shown] of pages) {
    await page.goto(url + path);
    await page.getByRole('heading', { level: 1, name: shown }).waitFor();
    await take(page, name, scheme);
  }
  await page.goto(`${url}/instances`);
  await page.getByRole('row').nth(1).click();
  await page.getByRole('img', { name: /^CPU: / }).waitFor();
  await take(page, 'instance', scheme);
  await context.close();
}
await browser.close();
