import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { report, takeOne } from '../fleet/commands/support/commands.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { enableTotp, nextCode } from '../identity/support/totp.js';
import { startTestPanel } from '../support/panel.js';
import { ordinaryBeat } from '../support/world.js';
import { heading, press, signInAt, tabTo } from './support/console.js';
import { focusedFault, line, retype } from './support/editing.js';
import { useStage } from './support/stage.js';

const stage = useStage(async () => startTestPanel());
const { person } = stage;

/** A tenant with a node that beats, and its owner signed in at a page. */
async function signedIn(path: (id: string) => string) {
  const tenant = await stage.panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  const dana = await person();
  const page = await dana.signIn(tenant, path(node.id));
  return { tenant, node, dana, page };
}

async function storedInPage(page: Page): Promise<string> {
  return page.evaluate<string>(
    'JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])',
  );
}

describe.skipIf(!isChromiumThere)('signing in', () => {
  test('takes a password and a code of the second factor, and comes to the page that was asked for', async () => {
    const tenant = await stage.panel.world.tenant();
    const { secret } = await enableTotp(stage.panel, tenant);
    await using dana = await person();
    const page = await dana.open('/instances?status=OFFLINE');
    await signInAt(page, tenant);
    await heading(page, 'Second factor');
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: /wrong/i }).waitFor();
    await page.getByLabel('Code').fill(await nextCode(stage.panel, secret));
    await page.keyboard.press('Enter');
    await heading(page, 'Instances');
    expect(new URL(page.url()).search).toBe('?status=OFFLINE');
    expect(dana.complaints).toEqual([]);
  });

  test('a wrong password says so, and whoever has signed in leaves no token for scripts to find', async () => {
    const { tenant, dana, page } = await signedIn(() => '/');
    await heading(page, 'Overview');
    const [cookie, ...others] = await dana.cookies();
    const stored = await storedInPage(page);
    expect(stored).not.toContain(cookie!.value);
    // What every token of the panel begins with.
    expect(stored).not.toContain('eyJ');
    expect([cookie?.name, cookie?.httpOnly, cookie?.sameSite, cookie?.path, others]).toEqual([
      'quazzar_console',
      true,
      'Strict',
      '/console/session',
      [],
    ]);
    await page.locator('summary', { hasText: 'Owner' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in');
    expect(await dana.cookies()).toEqual([]);
    await page.getByLabel('E-mail').fill(tenant.account.email);
    await page.getByLabel('Password').fill('not the password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: /wrong/i }).waitFor();
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
    await dana[Symbol.asyncDispose]();
  });

  test('counts in every tab, which take turns with the refresh token, and ends in every tab', async () => {
    const { dana, page } = await signedIn(() => '/');
    await heading(page, 'Overview');
    // Each rotates the token while it loads; one that was used twice would end the session after its grace.
    const tabs = await Promise.all([dana.open('/alerts'), dana.open('/commands'), dana.open('/enrollment')]);
    await heading(tabs[0], 'Alerts');
    await heading(tabs[1], 'Commands');
    await heading(tabs[2], 'Enrollment');
    await stage.panel.clock.advance(15_000);
    await tabs[0].reload();
    await heading(tabs[0], 'Alerts');
    await tabs[0].locator('summary', { hasText: 'Owner' }).click();
    await tabs[0].getByRole('button', { name: 'Sign out' }).click();
    for (const tab of [page, ...tabs]) await heading(tab, 'Sign in');
    expect(dana.complaints).toEqual([]);
    await dana[Symbol.asyncDispose]();
  });
});

describe.skipIf(!isChromiumThere)("the session's own routes", () => {
  test("answer the console's pages only: another origin, another site or a form gets nothing", async () => {
    const tenant = await stage.panel.world.tenant();
    const { url } = stage.panel.panel;
    const own = { origin: url, 'x-quazzar-console': '1', 'content-type': 'application/json' };
    const login = async (headers: Record<string, string>, method = 'POST') =>
      fetch(`${url}/console/session/login`, {
        method,
        headers,
        ...(method === 'POST' ? { body: JSON.stringify(tenant.account) } : {}),
      });
    const { 'x-quazzar-console': _, ...plain } = own;
    const { origin: __, ...nowhere } = own;
    for (const headers of [
      plain,
      nowhere,
      { ...own, origin: 'https://evil.example' },
      { ...own, 'sec-fetch-site': 'same-site' },
      { ...own, 'sec-fetch-site': 'cross-site' },
    ]) {
      const refused = await login(headers);
      expect([headers, refused.status, refused.headers.get('set-cookie')]).toEqual([headers, 403, null]);
    }
    expect((await login(own, 'GET')).status).toBe(403);
    const taken = await login(own);
    expect(taken.status).toBe(200);
    expect(await taken.json()).toEqual({ accessToken: expect.any(String), expiresIn: 900 });
    const cookie = taken.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^quazzar_console=[\w-]{43}; .*Path=\/console\/session; .*HttpOnly; SameSite=Strict$/,
    );
    expect(taken.headers.get('cache-control')).toBe('no-store');
  });

  test('a cookie of a session that has ended is taken away, and one of a panel that is away is kept', async () => {
    const { url } = stage.panel.panel;
    const refresh = async (cookie: string) =>
      fetch(`${url}/console/session/refresh`, {
        method: 'POST',
        headers: { origin: url, 'x-quazzar-console': '1', cookie },
      });
    const unknown = await refresh(`quazzar_console=${'x'.repeat(43)}`);
    expect(unknown.status).toBe(401);
    expect(unknown.headers.get('set-cookie')).toMatch(/^quazzar_console=; .*Expires=Thu, 01 Jan 1970/);
    const none = await refresh('');
    expect([none.status, none.headers.get('set-cookie')]).toEqual([401, null]);
  });
});

describe.skipIf(!isChromiumThere)('the pages', () => {
  test('the overview follows the fleet without being loaded again', async () => {
    const { tenant, dana, page } = await signedIn(() => '/');
    await page.getByRole('link', { name: '1 Healthy' }).waitFor();
    const second = await tenant.node('second');
    await page.getByRole('link', { name: '1 Offline' }).waitFor();
    await second.beat();
    await page.getByRole('link', { name: '2 Healthy' }).waitFor();
    await page.getByRole('heading', { name: 'What changed lately' }).waitFor();
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
    await dana[Symbol.asyncDispose]();
  });

  test('the list of instances is filtered and opened by keyboard, and its rows turn as nodes do', async () => {
    const { tenant, node, dana, page } = await signedIn(() => '/instances');
    const other = await tenant.node('zebra');
    await page.getByRole('row', { name: /zebra.*Offline/ }).waitFor();
    await other.beat();
    await page.getByRole('row', { name: /zebra.*Healthy/ }).waitFor();
    await tabTo(page, 'Name or host');
    await page.keyboard.type(node.name);
    await page.getByText('1 instance', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe(node.name);
    await tabTo(page, 'Instances');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await heading(page, node.name);
    expect(dana.complaints).toEqual([]);
    await dana[Symbol.asyncDispose]();
  });

  test('one instance shows every range that is published, takes another name and tags, and leads to what was done to it', async () => {
    const { node, dana, page } = await signedIn((id) => `/instances/${id}`);
    await heading(page, node.name);
    for (const range of ['6h', '24h', '7d', '30d', '3mo']) {
      await tabTo(page, range);
      await page.keyboard.press('Enter');
      await page.waitForURL(new RegExp(`range=${range}`));
      await page.getByRole('img', { name: /^CPU: / }).waitFor();
    }
    await page.getByRole('button', { name: 'Edit name and tags' }).press('Enter');
    await page.getByRole('dialog').getByLabel('Name').fill('renamed-01');
    await retype(page, 'Tags', 'x'.repeat(200));
    await page.keyboard.press('Enter');
    expect(await focusedFault(page)).toMatch(/tag/i);
    await retype(page, 'Tags', 'blue, green');
    await page.keyboard.press('Enter');
    await heading(page, 'renamed-01');
    await page.getByText('blue, green').waitFor();
    await press(page, 'What was done to it');
    await heading(page, 'Audit trail');
    await line(page, 'updateInstance').first().waitFor();
    expect(dana.complaints).toEqual([]);
    await dana[Symbol.asyncDispose]();
  });

  test("another tenant's instance and command are not there", async () => {
    const { node, dana, page } = await signedIn((id) => `/instances/${id}`);
    await heading(page, node.name);
    await using stranger = await person();
    const there = await stranger.signIn(await stage.panel.world.tenant(), `/instances/${node.id}`);
    await heading(there, 'There is no such page');
    expect(await there.content()).not.toContain(node.name);
    await dana[Symbol.asyncDispose]();
  });

  test('an alert appears, and is acknowledged, silenced and resolved by keyboard', async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    await firing(stage.panel, tenant, 'elsewhere');
    const page = await dana.signIn(tenant, '/alerts');
    await page.getByRole('listitem').filter({ hasText: 'elsewhere' }).waitFor();
    const { node } = await firing(stage.panel, tenant, 'busy-01');
    await page.getByRole('listitem').filter({ hasText: 'busy-01' }).waitFor();
    await page.goto(`${stage.panel.panel.url}/alerts?instance=${node.id}`);
    await page.getByRole('listitem').filter({ hasText: 'busy-01' }).waitFor();
    await tabTo(page, 'Acknowledge CPU of busy-01');
    await page.keyboard.press('Enter');
    await page.getByText('Acknowledged: CPU of busy-01.').waitFor();
    await tabTo(page, 'Silence CPU of busy-01');
    await page.keyboard.press('Enter');
    await page.getByText('It is about 1 open alert: CPU of busy-01.').waitFor();
    // Of all there are, not only of those that the list is narrowed to.
    await page.getByRole('dialog').getByLabel('Instance: busy-01').uncheck();
    await page.getByText('It is about 2 open alerts: ').waitFor();
    await page.getByRole('dialog').getByLabel('Instance: busy-01').check();
    await page.getByText('It is about 1 open alert: CPU of busy-01.').waitFor();
    await page.getByRole('dialog').getByLabel('Why').fill('It is being looked at');
    await page.keyboard.press('Enter');
    await page.getByRole('listitem').filter({ hasText: 'It is being looked at' }).waitFor();
    await press(page, 'Resolve CPU of busy-01', 'Resolve');
    await page.getByText('Resolved: CPU of busy-01.').waitFor();
    expect(node.name).toBe('busy-01');
    expect(dana.complaints).toEqual([]);
  });

  test('a command says whom it touches, is sent, and its progress moves as the node reports', async () => {
    const { node, dana, page } = await signedIn((id) => `/commands/new?instance=${id}`);
    await page.getByText(`It touches 1 instance: ${node.name}.`).waitFor();
    await tabTo(page, 'Send');
    await page.keyboard.press('Enter');
    await heading(page, 'Run diagnostics');
    const handed = await takeOne(node);
    await report(node, handed, 'in_progress', { progress: 40 });
    await page.getByText('1 instance: 1 at it').waitFor();
    await page.locator('progress[value="40"]').waitFor();
    await report(node, handed, 'success', { output: 'all is well', exit_code: 0 });
    await page.getByText('1 instance: 1 done').waitFor();
    expect(dana.complaints).toEqual([]);
    await dana[Symbol.asyncDispose]();
  });

  test('a token is made by keyboard, a node that comes by it turns green, and it is seen before any that have ended', async () => {
    const tenant = await stage.panel.world.tenant();
    await tenant.enrollmentToken({ name: 'former' });
    await stage.panel.sql(
      `insert into fleet.enrollment_token select (jsonb_populate_record(t, jsonb_build_object('id', 'etk_' || lpad(n::text, 26, '0'),
         'token_hash', 'of former ' || t.tenant_id || n, 'revoked_at', t.created_at))).*
       from fleet.enrollment_token t, generate_series(1, 101) n where t.tenant_id = $1`,
      [tenant.id],
    );
    await using dana = await person();
    const page = await dana.signIn(tenant, '/enrollment');
    await tabTo(page, 'Name of the token');
    await page.keyboard.insertText('office');
    await retype(page, 'Tags of its nodes', 'x'.repeat(200));
    await page.keyboard.press('Enter');
    expect(await focusedFault(page)).toMatch(/tag/i);
    await retype(page, 'Tags of its nodes', '');
    await page.keyboard.press('Enter');
    const token = await page.getByLabel('Token', { exact: true }).inputValue();
    expect(await page.getByLabel('Line to paste', { exact: true }).inputValue()).toContain(token);
    const enrolled = await stage.panel.world.rest<{ credential: string }>('/api/agent/enroll', {
      body: { token, name: 'newcomer', hostname: 'newcomer.example.com', version: '0.2.9' },
    });
    await page.getByText('has enrolled; its first beat is awaited').waitFor();
    await stage.panel.world.rest('/api/agent/heartbeat', {
      token: enrolled.body.credential,
      body: ordinaryBeat,
    });
    await page.getByText('has arrived and beats').waitFor();
    const office = page.getByRole('list', { name: 'Tokens' }).getByRole('listitem').first();
    await office.filter({ hasText: 'office' }).getByText('Used 1 time').waitFor();
    await press(page, 'Revoke office', 'Revoke');
    await page.getByText('office is revoked.').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'office' }).getByText('revoked').waitFor();
    expect(dana.complaints).toEqual([]);
  });

  test('the palette leads to a page and to an instance by a few letters', async () => {
    const { node, dana, page } = await signedIn(() => '/');
    await heading(page, 'Overview');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('searchbox').waitFor();
    await page.keyboard.type('enr');
    await page.getByRole('option', { name: /Enrollment/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await heading(page, 'Enrollment');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('searchbox').waitFor();
    await page.keyboard.type(node.name);
    await page.getByRole('option', { name: new RegExp(node.name) }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await heading(page, node.name);
    expect(dana.complaints).toEqual([]);
    await dana[Symbol.asyncDispose]();
  });
});
