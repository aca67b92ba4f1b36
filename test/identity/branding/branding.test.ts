import { afterAll, beforeAll, expect, test } from 'vitest';

import { checkLogo } from '#subgraphs/identity/branding/logo.js';

import { outboundWith, serve } from '../../platform/support/outbound.js';
import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until } from '../../support/world.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const cloudHost = {
  company_name: 'CloudHost Pro',
  logo_url: 'https://logo.invalid/logo.svg',
  primary_color: '#2563EB',
  support_email: 'support@cloudhost.pro',
};
const path = '/api/msp/branding';

test.concurrent('the routes answer as the contract says, and a PUT merges', async () => {
  const parent = await provider(panel);
  const before = await parent.rest(path);
  expect([before.status, before.body]).toEqual([
    200,
    { company_name: parent.user.tenant.name, logo_url: null, primary_color: '#2563EB', support_email: null },
  ]);
  const put = await parent.rest(path, { method: 'PUT', body: cloudHost });
  expect([put.status, put.body]).toEqual([200, cloudHost]);
  expect((await parent.rest(path)).body).toEqual(cloudHost);
  const merged = await parent.rest(path, { method: 'PUT', body: { primary_color: '#ffee00' } });
  expect(merged.body).toEqual({ ...cloudHost, primary_color: '#ffee00' });
  const seen = await parent.graphql<{ branding: object }>('{ branding { logoSource isInherited warnings } }');
  expect(dataOf(seen).branding).toEqual({
    logoSource: null,
    isInherited: false,
    warnings: ['White text on #ffee00 has a contrast of 1.2 to 1; 4.5 to 1 is needed to be read well'],
  });
});

test.concurrent('what would get into a style sheet or a page as something else is refused with the field named', async () => {
  const parent = await provider(panel);
  const fault = async (body: Record<string, unknown>) => {
    const answer = await parent.rest<{ details?: Record<string, string> }>(path, { method: 'PUT', body });
    return [answer.status, Object.keys(answer.body.details ?? {})];
  };
  for (const color of ['red;}body{', '#fff', 'red', '#2563EB;', '#2563EB\n', 'url(x)', '', '#gggggg']) {
    expect([color, ...(await fault({ primary_color: color }))]).toEqual([color, 422, ['primary_color']]);
  }
  for (const url of [
    'javascript:alert(1)',
    'data:image/svg+xml,<svg onload=alert(1)>',
    'http://cdn.example.com/logo.png',
    'https://user:secret@cdn.example.com/logo.png',
    '//cdn.example.com/logo.png',
    'https://127.0.0.1/logo.png',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/logo.png',
    'https://2130706433/logo.png',
    'nonsense',
  ]) {
    expect([url, ...(await fault({ logo_url: url }))]).toEqual([url, 422, ['logo_url']]);
  }
  expect(await fault({ support_email: 'nobody' })).toEqual([422, ['support_email']]);
  expect((await parent.rest(path, { method: 'PUT', body: { support_email: 'nobody' } })).body).toMatchObject({
    details: { support_email: 'Email must be an e-mail address' },
  });
  expect(await fault({ company_name: '' })).toEqual([422, ['company_name']]);
  expect((await parent.rest(path)).body).toMatchObject({ logo_url: null, primary_color: '#2563EB' });
});

test.concurrent('branding is for owners and admins of plans that include it', async () => {
  const free = await panel.world.tenant();
  expect((await free.rest(path)).status).toBe(403);
  expect((await free.rest(path, { method: 'PUT', body: cloudHost })).status).toBe(403);
  expect((await panel.world.rest(path)).status).toBe(401);
  const parent = await provider(panel);
  const viewer = await tokenInRole(panel, parent, 'VIEWER');
  expect((await panel.world.rest(path, { token: viewer })).status).toBe(200);
  expect((await panel.world.rest(path, { method: 'PUT', token: viewer, body: cloudHost })).status).toBe(403);
});

test.concurrent('clients show what their provider shows, until they have their own', async () => {
  const parent = await provider(panel);
  const pro = await client(panel, mailbox, parent);
  const big = await client(panel, mailbox, parent, { plan: 'enterprise' });
  const stranger = await provider(panel);
  expect(refusal(await pro.graphql('{ branding { companyName } }'))).toMatchObject({ code: 'PLAN_REQUIRED' });
  await parent.rest(path, { method: 'PUT', body: cloudHost });
  const nameOf = async (tenant: typeof parent) =>
    dataOf(await tenant.graphql<{ branding: object }>('{ branding { companyName isInherited } }')).branding;
  expect(await nameOf(pro)).toEqual({ companyName: 'CloudHost Pro', isInherited: true });
  expect(await nameOf(stranger)).toMatchObject({ isInherited: false });
  expect((await pro.rest(path, { method: 'PUT', body: { company_name: 'Mine' } })).status).toBe(403);
  const own = await big.rest(path, { method: 'PUT', body: { company_name: 'Big Corp' } });
  expect([own.status, own.body]).toEqual([
    200,
    { company_name: 'Big Corp', logo_url: null, primary_color: '#2563EB', support_email: null },
  ]);
  expect(await nameOf(big)).toEqual({ companyName: 'Big Corp', isInherited: false });
  expect(await nameOf(parent)).toEqual({ companyName: 'CloudHost Pro', isInherited: false });
});

test.concurrent('whoever loses the plan that includes branding falls back to what others show', async () => {
  const parent = await provider(panel);
  const big = await client(panel, mailbox, parent, { plan: 'enterprise' });
  await parent.rest(path, { method: 'PUT', body: cloudHost });
  await until(
    async () => (await big.rest(path, { method: 'PUT', body: { company_name: 'Big Corp' } })).status === 200,
    'the plan to reach identity',
  );
  const viewer = await tokenInRole(panel, big, 'VIEWER');
  /** As whoever edits it reads it, and as the console shows it to anyone. */
  const shown = async () => {
    const { status, body } = await big.rest<{ company_name: string }>(path);
    const { shownBranding } = dataOf(
      await panel.world.graphql<{ shownBranding: { companyName: string } | null }>(
        '{ shownBranding { companyName } }',
        {},
        viewer,
      ),
    );
    return [status, body.company_name, shownBranding?.companyName];
  };
  expect(await shown()).toEqual([200, 'Big Corp', 'Big Corp']);
  await parent.rest(`/api/msp/clients/${big.id}`, { method: 'PUT', body: { plan: 'pro' } });
  await until(async () => (await shown())[1] !== 'Big Corp', 'the smaller plan');
  expect(await shown()).toEqual([200, 'CloudHost Pro', 'CloudHost Pro']);
  await panel.world.graphql(
    'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: FREE }) { plan } }',
    { id: parent.id },
    await panel.world.administrator(),
  );
  expect(await shown()).toEqual([403, undefined, undefined]);
});

test.concurrent("whoever has set no branding is shown the panel's own, and asking for that is no error", async () => {
  const query = '{ shownBranding { companyName } }';
  for (const tenant of [await panel.world.tenant(), await provider(panel)])
    expect(dataOf(await tenant.graphql(query))).toEqual({ shownBranding: null });
  expect(refusal(await panel.world.graphql(query))).toMatchObject({ code: 'UNAUTHENTICATED' });
  const node = await (await panel.world.tenant()).node();
  expect(refusal(await panel.world.graphql(query, {}, node.credential))).toMatchObject({ code: 'FORBIDDEN' });
});

test.concurrent('changes that are made at once do not undo each other', async () => {
  const parent = await provider(panel);
  await parent.rest(path, { method: 'PUT', body: { company_name: 'A', primary_color: '#000000' } });
  for (const [name, color] of Array.from({ length: 5 }, (_, at) => [`B${at}`, `#${at}fffff`])) {
    await Promise.all([
      parent.rest(path, { method: 'PUT', body: { company_name: name } }),
      parent.rest(path, { method: 'PUT', body: { primary_color: color } }),
    ]);
    expect((await parent.rest(path)).body).toMatchObject({ company_name: name, primary_color: color });
  }
});

test.concurrent('a logo that is out of reach keeps the copy from before, and another one does not', async () => {
  const parent = await provider(panel);
  await parent.rest(path, { method: 'PUT', body: cloudHost });
  await panel.sql(
    `update identity.branding set logo_sha256 = $2, logo_type = 'image/png', logo = 'x' where tenant_id = $1`,
    [parent.id, 'd'.repeat(64)],
  );
  const save = async (logoUrl: string) =>
    dataOf(
      await parent.graphql<{ updateBranding: { logoSource: string | null; warnings: string[] } }>(
        'mutation($input: UpdateBrandingInput!) { updateBranding(input: $input) { logoSource warnings } }',
        { input: { logoUrl, primaryColor: '#102030' } },
      ),
    ).updateBranding;
  expect(await save(cloudHost.logo_url)).toEqual({
    logoSource: `http://panel.test/branding/logo/${'d'.repeat(64)}`,
    warnings: [expect.stringMatching(/^The logo could not be fetched, the copy from before is shown: /)],
  });
  expect(await save('https://other.invalid/logo.svg')).toEqual({
    logoSource: null,
    warnings: [
      expect.stringMatching(/^The logo could not be fetched, none is shown until it is saved again: /),
    ],
  });
});

test.concurrent('a logo and an address for help are taken away by empty ones, for clients too', async () => {
  const parent = await provider(panel);
  const pro = await client(panel, mailbox, parent);
  await parent.rest(path, { method: 'PUT', body: cloudHost });
  const sha256 = 'e'.repeat(64);
  await panel.sql(
    `update identity.branding set logo_sha256 = $2, logo_type = 'image/png', logo = 'x' where tenant_id = $1`,
    [parent.id, sha256],
  );
  const stays = await parent.rest(path, { method: 'PUT', body: { logo_url: null, support_email: null } });
  expect(stays.body).toEqual(cloudHost);
  const gone = { ...cloudHost, logo_url: null, support_email: null };
  const put = async () => parent.rest(path, { method: 'PUT', body: { logo_url: '', support_email: '' } });
  expect([(await put()).body, (await put()).status]).toEqual([gone, 200]);
  expect((await parent.rest(path)).body).toEqual(gone);
  const shown = await pro.graphql<{ branding: object }>('{ branding { logoUrl logoSource supportEmail } }');
  expect(dataOf(shown).branding).toEqual({ logoUrl: null, logoSource: null, supportEmail: null });
  expect((await panel.world.rest(`/branding/logo/${sha256}`)).status).toBe(404);
});

test.concurrent('a kept logo is served so that it runs nothing', async () => {
  const parent = await provider(panel);
  await parent.rest(path, { method: 'PUT', body: { company_name: 'With logo' } });
  const sha256 = 'a'.repeat(64);
  await panel.sql(
    `update identity.branding set logo_sha256 = $2, logo_type = 'image/svg+xml', logo = $3 where tenant_id = $1`,
    [parent.id, sha256, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  );
  const answer = await panel.world.rest(`/branding/logo/${sha256}`);
  expect([answer.status, answer.text]).toEqual([200, '<svg xmlns="http://www.w3.org/2000/svg"/>']);
  expect([
    answer.headers.get('content-type'),
    answer.headers.get('content-security-policy'),
    answer.headers.get('x-content-type-options'),
  ]).toEqual(['image/svg+xml', `default-src 'none'; style-src 'unsafe-inline'; sandbox`, 'nosniff']);
  for (const other of ['b'.repeat(64), 'nonsense', '..%2f..']) {
    expect((await panel.world.rest(`/branding/logo/${other}`)).status).toBe(404);
  }
});

const svg = (inner: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">${inner}</svg>`;

test.concurrent('a logo is what its bytes are, and one that is out of reach is not refused', async () => {
  const outbound = outboundWith({ resolve: async () => Promise.reject(new Error('no such name')) });
  expect(await checkLogo(outbound, 'https://logo.example/logo.svg')).toEqual({
    outOfReach: expect.any(String),
  });
  expect(await checkLogo(outboundWith({ allowPrivateTargets: [] }), 'https://logo.example/x')).toEqual({
    refused: expect.any(String),
  });
});

test('a logo is fetched and kept with its hash and its true type; anything else is refused', async () => {
  const drawing = svg('<rect width="9" height="9"/>');
  const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(20)]);
  const pages: Record<string, Buffer | string> = {
    '/logo.svg': drawing,
    '/logo.png': png,
    '/evil.png': svg('<script>alert(1)</script>'),
    '/page.html': '<!doctype html><svg></svg>',
    '/big.png': Buffer.concat([png, Buffer.alloc(600 * 1024)]),
  };
  const server = await serve(
    (request, response) => {
      const page = pages[request.url ?? ''];
      response.statusCode = page === undefined ? 404 : 200;
      response.setHeader('content-type', 'image/png');
      response.end(page);
    },
    { isSecure: true },
  );
  const outbound = outboundWith();
  const check = async (path: string) => checkLogo(outbound, `https://secure.test:${server.port}${path}`);
  expect(await check('/logo.svg')).toEqual({
    logo: {
      type: 'image/svg+xml',
      content: Buffer.from(drawing),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  });
  expect(await check('/logo.png')).toMatchObject({ logo: { type: 'image/png' } });
  expect(await check('/evil.png')).toEqual({ refused: 'The SVG holds a script or embeds something else' });
  expect(await check('/page.html')).toEqual({ refused: 'The logo must be a PNG, JPEG, WebP or SVG' });
  expect(await check('/big.png')).toEqual({ refused: expect.stringMatching(/large|bytes/i) });
  expect(await check('/gone.png')).toEqual({ refused: "The logo's server answered 404" });
});
