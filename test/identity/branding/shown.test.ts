import { afterAll, beforeAll, expect, test } from 'vitest';

import type { TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { client, provider } from '../msp/support.js';
import { FormBrowser } from '../support/browser.js';
import { Mailbox } from '../support/mailbox.js';
import { authorizePage, enrollClient, startReachablePanel, type Client } from '../support/oauth.js';

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startReachablePanel({ SMTP_URL: mailbox.url, MAIL_FROM: 'Panel <panel@panel.test>' });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const sha256 = 'c'.repeat(64);
const hostile = `<script>alert(1)</script> "Cloud" & 'Host'`;
const escaped = '&lt;script&gt;alert(1)&lt;/script&gt; &quot;Cloud&quot; &amp; &#39;Host&#39;';
const cloudHost = {
  company_name: 'CloudHost Pro',
  primary_color: '#ffee00',
  support_email: 'support@cloudhost.pro',
};

async function branded(tenant: Tenant, change: Partial<typeof cloudHost> = {}): Promise<void> {
  const body = { ...cloudHost, ...change };
  const answer = await tenant.rest('/api/msp/branding', { method: 'PUT', body });
  expect(answer.status).toBe(200);
}

const pageOf = (node: Client) => authorizePage(panel, node);

async function signIn(browser: FormBrowser, { account }: Tenant): Promise<FormBrowser> {
  await browser.submit({ email: account.email, password: account.password });
  return browser.follow();
}

const headingOf = ({ html }: FormBrowser) => /<h1>(.*?)<\/h1>/s.exec(html)?.[1];
const styleOf = ({ html }: FormBrowser) => /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';

/** Whether the page's own policy lets its style through. */
async function styleIsAllowed(browser: FormBrowser): Promise<boolean> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(styleOf(browser)));
  const policy = browser.headers.get('content-security-policy') ?? '';
  return policy.includes(`style-src 'sha256-${Buffer.from(digest).toString('base64')}'`);
}

test('sign-in and consent show name, logo, colour and support of the tenant of the node, as text', async () => {
  const tenant = await provider(panel);
  await branded(tenant, { company_name: hostile });
  await panel.sql(
    `update identity.branding set logo_sha256 = $2, logo_type = 'image/png', logo = '\\x89' where tenant_id = $1`,
    [tenant.id, sha256],
  );
  const node = await enrollClient(panel, tenant);
  const browser = await new FormBrowser().get(pageOf(node));
  const expectBrand = async () => {
    expect(browser.html).toContain(`<img class="logo" src="/branding/logo/${sha256}" alt="${escaped}">`);
    expect(browser.html).toContain('<a href="mailto:support@cloudhost.pro">support@cloudhost.pro</a>');
    expect(browser.html).not.toContain('<script');
    expect(styleOf(browser)).toContain('background: #ffee00; color: #000;');
    expect(await styleIsAllowed(browser)).toBe(true);
    expect(browser.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^ ]+'; img-src 'self'; form-action 'self'/,
    );
  };
  expect([browser.status, headingOf(browser)]).toEqual([200, `Sign in with ${escaped}`]);
  await expectBrand();
  expect(browser.html).not.toContain(tenant.user.tenant.name);
  await browser.submit({ email: tenant.account.email, password: 'not the password' });
  expect([browser.status, headingOf(browser)]).toEqual([401, `Sign in with ${escaped}`]);
  await expectBrand();
  await signIn(browser, tenant);
  expect([browser.status, headingOf(browser)]).toEqual([
    200,
    expect.stringMatching(/^Sign in to node-\w+ with &lt;script&gt;alert/),
  ]);
  await expectBrand();
  expect((await browser.get(`${panel.panel.url}/branding/logo/${sha256}`)).status).toBe(200);
});

test('text on the button is white where white can be read', async () => {
  const tenant = await provider(panel);
  await branded(tenant, { primary_color: '#102030' });
  const browser = await new FormBrowser().get(pageOf(await enrollClient(panel, tenant)));
  expect(styleOf(browser)).toContain('background: #102030; color: #fff;');
  expect(browser.headers.get('content-security-policy')).not.toContain('img-src');
});

test("a client's pages show its provider's branding, until it has its own", async () => {
  const parent = await provider(panel);
  const customer = await client(panel, mailbox, parent, { plan: 'enterprise' });
  const node = await enrollClient(panel, customer);
  const heading = async () => headingOf(await new FormBrowser().get(pageOf(node)));
  expect(await heading()).toBe('Sign in with Quazzar Cloud');
  await branded(parent);
  expect(await heading()).toBe('Sign in with CloudHost Pro');
  const browser = await signIn(await new FormBrowser().get(pageOf(node)), customer);
  expect(headingOf(browser)).toMatch(/^Sign in to node-\w+ with CloudHost Pro\?$/);
  await branded(customer, { company_name: 'Big Corp' });
  expect(await heading()).toBe('Sign in with Big Corp');
});

test("pages that cannot go on, and those of tenants whose plan has no branding any more, show the panel's", async () => {
  const tenant = await provider(panel);
  await branded(tenant);
  const node = await enrollClient(panel, tenant);
  const stranger = await panel.world.tenant();
  const wrong = await signIn(await new FormBrowser().get(pageOf(node)), stranger);
  const unknown = await new FormBrowser().get(
    pageOf({ ...node, redirectUri: 'https://evil.example.com/callback' }),
  );
  for (const browser of [wrong, unknown]) {
    expect([browser.status, headingOf(browser)]).toEqual([400, 'This sign-in cannot go on']);
    expect(browser.html).not.toContain('CloudHost');
    expect(await styleIsAllowed(browser)).toBe(true);
  }
  await panel.sql(`update identity.entitlement set features = '{}' where tenant_id = $1`, [tenant.id]);
  const browser = await new FormBrowser().get(pageOf(node));
  expect(headingOf(browser)).toBe('Sign in with Quazzar Cloud');
  expect(await styleIsAllowed(browser)).toBe(true);
});

const reset = async ({ account }: Tenant) => {
  const body = { email: account.email };
  expect((await panel.world.rest('/api/auth/password/forgot', { body })).status).toBe(204);
  return mailbox.receive(account.email, /new password/);
};
const header = (headers: string, name: string) =>
  headers.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));

test("a client's mail carries its provider's name and is answered to its support", async () => {
  const parent = await provider(panel);
  const customer = await client(panel, mailbox, parent);
  await branded(parent);
  const mail = await reset(customer);
  expect(header(mail.headers, 'From')).toEqual(['From: CloudHost Pro <panel@panel.test>']);
  expect(header(mail.headers, 'Reply-To')).toEqual(['Reply-To: support@cloudhost.pro']);
  expect(mail.text).toMatch(/CloudHost Pro\r\nQuestions\? support@cloudhost\.pro\r\n/);
});

test('a name starts no header and is no address', async () => {
  const tenant = await provider(panel);
  await branded(tenant, { company_name: 'Evil\r\nBcc: victim@example.com\r\n\r\n<boss@example.com>, x' });
  const mail = await reset(tenant);
  expect(header(mail.headers, 'From')).toEqual([
    'From: "Evil Bcc: victim@example.com <boss@example.com>, x" <panel@panel.test>',
  ]);
  expect([header(mail.headers, 'Bcc'), mail.to]).toEqual([[], tenant.account.email]);
  expect(mail.text).not.toMatch(/^Bcc:/m);
});

test("without branding mail comes from the panel's own name", async () => {
  const mail = await reset(await panel.world.tenant());
  expect(header(mail.headers, 'From')).toEqual(['From: Panel <panel@panel.test>']);
  expect(header(mail.headers, 'Reply-To')).toEqual([]);
});
