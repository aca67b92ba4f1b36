import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

test('a browser that comes to the address is told what this is, and every way that is named leads somewhere', async () => {
  const start = await panel.world.rest('/', { headers: browser });
  expect([start.status, start.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(start.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(start.text).toContain('<h1>Quazzar Control Panel</h1>');
  const ways = [...start.text.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href);
  const statuses = await Promise.all(
    ways.map(async (href) => [href, (await panel.world.rest(href, { headers: browser })).status]),
  );
  expect(statuses).toEqual([
    ['/graphql', 200],
    ['/account/forgot-password', 200],
    ['/.well-known/openid-configuration', 200],
  ]);
});

test('an unknown page says so to people, and to programs as before', async () => {
  const page = await panel.world.rest('/no/such/page', { headers: browser });
  expect([page.status, page.text]).toEqual([404, expect.stringContaining('<a href="/">')]);
  const json = [404, { error: 'Not found' }];
  for (const [path, options] of [
    ['/no/such/page', {}],
    ['/', {}],
    ['/', { headers: { accept: '*/*' } }],
    ['/no/such/page', { headers: { accept: 'application/json' } }],
    ['/no/such/page', { method: 'POST', headers: browser }],
    ['/api/no/such/route', { headers: browser }],
  ] as const) {
    const { status, body } = await panel.world.rest(path, options);
    expect([path, status, body]).toEqual([path, ...json]);
  }
});
