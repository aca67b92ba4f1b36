import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

test("a browser that comes to any address that is nobody else's gets the console, under a strict policy", async () => {
  for (const path of ['/', '/instances?status=OFFLINE', '/no/such/page']) {
    const page = await panel.world.rest(path, { headers: browser });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'sha256-/);
    expect(policy).not.toMatch(/unsafe|http|\*/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/assets\/[\w.-]+-[\w-]{8}\.(js|css|svg)$/);
      const asset = await panel.world.rest(file);
      expect([file, asset.status, asset.headers.get('cache-control')]).toEqual([
        file,
        200,
        'public, max-age=31536000, immutable',
      ]);
    }
  }
});

test('a file of another build is not there, rather than a page', async () => {
  const file = await panel.world.rest('/assets/index-00000000.js', { headers: browser });
  expect([file.status, file.text]).toEqual([404, expect.stringContaining('There is no such page')]);
});

test('an address of programs says so to people, and to programs as before', async () => {
  const page = await panel.world.rest('/oauth/no/such/page', { headers: browser });
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
