import type { Page, Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { sent } from '../fleet/commands/support/commands.js';
import { isKnown } from '../governance/support/canaries.js';
import { create, encrypted } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { until, type Node, type Tenant } from '../support/world.js';
import { heading, signInAt, tabTo } from './support/console.js';
import { partAway } from './support/editing.js';
import { Line } from './support/line.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = useStage(async () => startTestPanel());
const { person } = stage;

/** A tenant with a node that beats. */
async function withNode(): Promise<{ tenant: Tenant; node: Node }> {
  const tenant = await stage.panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  return { tenant, node };
}

const operationOf = (route: Pick<Route, 'request'>) => route.request().postData() ?? '';

/** How often the page has asked for a document since. */
function countOf(page: Page, document: string): () => number {
  let count = 0;
  page.on('request', (request) => {
    if (request.postData()?.includes(document)) count += 1;
  });
  return () => count;
}

async function update(tenant: Tenant, node: Node, more: { name?: string; tags?: string[] }): Promise<void> {
  dataOf(
    await tenant.graphql('mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id: node.id, ...more },
    }),
  );
}

/** As after a day in which the page heard nothing: events up to now are no longer kept. */
async function expireCursors(): Promise<void> {
  await stage.panel.sql(
    `insert into fleet.outbox_removed (timeline, xid, id)
     select timeline, xid, id from fleet.outbox order by timeline desc, xid desc, id desc limit 1
     on conflict (is_only) do update set timeline = excluded.timeline, xid = excluded.xid, id = excluded.id`,
  );
}

/** Makes more like a row of fleet's, without the time that it takes them to come one by one. */
async function copy(table: string, id: string, count: number): Promise<void> {
  const name = table === 'instance' ? `, 'name', t.name || '-' || n` : '';
  await stage.panel.sql(
    `insert into fleet.${table} select (jsonb_populate_record(t,
       jsonb_build_object('id', left(t.id, -3) || 'z' || lpad(n::text, 2, '0')${name}))).*
     from fleet.${table} t, generate_series(1, ${count}) n where t.id = $1`,
    [id],
  );
}

const row = (page: Page, name: string | RegExp) => page.getByRole('row', { name });

describe.skipIf(!isChromiumThere)('the list of instances', () => {
  test("a beat changes the CPU of its row, and what doesn't change is not asked for again", async () => {
    const { tenant, node } = await withNode();
    await using dana = await person();
    const page = await dana.signIn(tenant, '/instances');
    await row(page, node.name).waitFor();
    const lists = countOf(page, 'query InstanceList');
    // An absence takes a while to be seen.
    await page.waitForTimeout(3_000);
    await node.beat({ cpu_percent: 33 });
    await row(page, new RegExp(`${node.name}.*33 %`)).waitFor();
    expect([lists(), dana.complaints]).toEqual([0, []]);
  });

  test('where its events are no longer kept, it is read anew once and is live from there', async () => {
    const { tenant, node } = await withNode();
    await using dana = await person();
    const line = await Line.of(dana.context);
    const page = await dana.signIn(tenant, '/instances');
    await row(page, node.name).waitFor();
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    const lists = countOf(page, 'query InstanceList');
    await line.cut();
    const late = await tenant.node('late-01');
    await expireCursors();
    line.join();
    await row(page, /late-01.*Offline/).waitFor();
    await late.beat();
    await row(page, /late-01.*Healthy/).waitFor();
    await node.beat({ cpu_percent: 44 });
    await row(page, new RegExp(`${node.name}.*44 %`)).waitFor();
    // Two of its subscriptions have a cursor, and each may say that it is lost.
    expect(lists()).toBeLessThanOrEqual(2);
    expect(dana.complaints).toEqual([]);
  });

  test('an instance that was decommissioned leaves it', async () => {
    const { tenant, node } = await withNode();
    const other = await tenant.node('gone-01');
    await using dana = await person();
    const page = await dana.signIn(tenant, '/instances');
    await row(page, 'gone-01').waitFor();
    dataOf(
      await tenant.graphql('mutation ($id: ID!) { decommissionInstance(id: $id) { id } }', { id: other.id }),
    );
    await row(page, 'gone-01').waitFor({ state: 'detached' });
    await row(page, node.name).waitFor();
    expect(dana.complaints).toEqual([]);
  });

  test('whoever moves in it by keyboard sees the whole of the row that is chosen', async () => {
    const { tenant, node } = await withNode();
    await copy('instance', node.id, 14);
    await using dana = await person();
    const page = await dana.signIn(tenant, '/instances');
    await page.setViewportSize({ width: 800, height: 480 });
    await row(page, `${node.name}-2`).first().waitFor();
    await page.getByText('15 instances', { exact: true }).waitFor();
    await tabTo(page, 'Instances');
    for (const key of ['ArrowDown', 'PageDown', 'ArrowDown', 'End', 'PageUp', 'Home']) {
      await page.keyboard.press(key);
      const [hidden] = await page.evaluate<number[]>(`new Promise((resolve) => setTimeout(() => {
        const grid = document.querySelector('[role=grid]');
        const head = grid.querySelector('.grid-head').getBoundingClientRect();
        const row = grid.querySelector('[aria-selected=true]').getBoundingClientRect();
        const bottom = grid.getBoundingClientRect().top + grid.clientTop + grid.clientHeight;
        resolve([Math.round(Math.max(head.bottom - row.top, row.bottom - bottom))]);
      }, 300))`);
      expect([key, hidden! <= 0]).toEqual([key, true]);
    }
  });
});

describe.skipIf(!isChromiumThere)('what is shown', () => {
  test('a list keeps what was asked for beyond its first page when it is read anew', async () => {
    const { tenant, node } = await withNode();
    await copy('command', await sent(tenant, [node]), 52);
    await using dana = await person();
    const line = await Line.of(dana.context);
    const page = await dana.signIn(tenant, '/commands');
    const rows = page.getByRole('list', { name: 'Commands' }).locator('> li');
    await page.getByRole('button', { name: 'Show older ones' }).press('Enter');
    await expect.poll(async () => rows.count()).toBe(53);
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    const lists = countOf(page, 'query Commands');
    await line.cut();
    await sent(tenant, [node]);
    await expireCursors();
    line.join();
    await expect.poll(async () => rows.count(), { timeout: 20_000 }).toBe(54);
    // Each of both pages once.
    expect([lists(), dana.complaints]).toEqual([2, []]);
  });

  test('a node that came by a new token while events were missed is told of', async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    const line = await Line.of(dana.context);
    const page = await dana.signIn(tenant, '/enrollment');
    await tabTo(page, 'Name of the token');
    await page.keyboard.insertText('office');
    await page.keyboard.press('Enter');
    await page.getByText('Waiting for the first node…').waitFor();
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    await line.cut();
    const node = await tenant.node('missed-01');
    await expireCursors();
    line.join();
    await page.getByText('has enrolled; its first beat is awaited').waitFor();
    await node.beat();
    await page.getByText('has arrived and beats').waitFor();
    expect(dana.complaints).toEqual([]);
  });

  test('it stays while it can not be read again, with the reason beside it', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node('quiet-01');
    await using dana = await person();
    const page = await dana.signIn(tenant, `/instances/${node.id}`);
    await heading(page, 'quiet-01');
    await page.getByText('Licence and server').waitFor();
    await page.route('**/graphql', async (route) =>
      operationOf(route).includes('query InstanceDetail') ? route.abort() : route.fallback(),
    );
    await node.beat();
    await page.getByRole('alert').filter({ hasText: 'can not be reached' }).waitFor();
    await heading(page, 'quiet-01');
    await page.unroute('**/graphql');
    // Nobody has to press for it.
    await page.locator('main').getByText('Healthy', { exact: true }).first().waitFor();
    expect(await page.getByRole('alert').filter({ hasText: 'can not be reached' }).count()).toBe(0);
    expect(dana.complaints).toEqual([]);
  });

  test('of a page that nobody looks at is not read anew for events, and is once when somebody does', async () => {
    const { tenant, node } = await withNode();
    await using dana = await person();
    const page = await dana.signIn(tenant, `/instances/${node.id}`);
    await heading(page, node.name);
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    const readings = countOf(page, 'query InstanceDetail');
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
    for (const name of ['second', 'third']) await update(tenant, node, { name });
    // An absence takes a while to be seen.
    await page.waitForTimeout(3_000);
    expect(readings()).toBe(0);
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`);
    await heading(page, 'third');
    expect([readings(), dana.complaints]).toEqual([1, []]);
  });

  test('is never called none where it could not be read', async () => {
    const { tenant, node } = await withNode();
    await using dana = await person();
    const page = await dana.open('/servers');
    await partAway(page, 'Providers');
    await partAway(page, 'FindInstances');
    await partAway(page, 'InstanceStanding', { instance: { id: node.id, licence: null, server: null } });
    await signInAt(page, tenant);
    const away = page.getByRole('alert').filter({ hasText: 'can not be reached just now' });
    await page.getByRole('region', { name: 'Providers' }).and(page.locator(':has([role=alert] p)')).waitFor();
    await page.getByText('There is none yet.', { exact: true }).waitFor();
    await page.keyboard.press('Control+K');
    await page.getByLabel('Page or instance').fill('zz');
    await page.getByRole('dialog').locator(away).waitFor();
    expect(await page.getByText('Nothing has this name.').count()).toBe(0);
    await page.goto(`${stage.panel.panel.url}/instances/${node.id}`);
    const standing = page.getByRole('region', { name: 'Licence and server' });
    await standing.locator(away).waitFor();
    expect(await standing.getByText(/no licence|not rented/).count()).toBe(0);
  });

  test('what could not be read as the page came is read again by itself, and says that it is being read', async () => {
    const { tenant, node } = await withNode();
    await using dana = await person();
    const page = await dana.signIn(tenant, '/commands');
    await heading(page, 'Commands');
    let isAway = true;
    const away = /query (FleetHealth|FiringAlerts|Alerts|InstanceList)\b/;
    await page.route('**/graphql', async (route) => {
      if (!isAway || !away.test(operationOf(route))) return route.fallback();
      const errors = [{ message: 'It is away', extensions: { code: 'UNAVAILABLE' } }];
      return route.fulfill({ json: { data: null, errors } });
    });
    const there: [path: string, what: string | RegExp][] = [
      ['/', '1 Healthy'],
      ['/alerts', 'No alert is like this.'],
      ['/instances', node.name],
    ];
    for (const [path, what] of there) {
      isAway = true;
      await page.goto(stage.panel.panel.url + path);
      await page.getByText('A part of the panel can not be reached just now.').first().waitFor();
      isAway = false;
      await page.locator('main').getByText(what).first().waitFor();
      await page.getByText('A part of the panel can not be reached').waitFor({ state: 'detached' });
    }
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/graphql', async (route) => {
      if (operationOf(route).includes('query Alerts')) await held;
      return route.fallback();
    });
    await page.goto(`${stage.panel.panel.url}/alerts`);
    await page.getByRole('status').filter({ hasText: 'Reading…' }).waitFor();
    answer();
    await page.getByText('No alert is like this.').waitFor();
    expect(dana.complaints).toEqual([]);
  });

  test("another tenant's command, policy and canary are not there", async () => {
    const { tenant, node } = await withNode();
    await tenant.grantPlan('PRO');
    await until(async () => isKnown(stage.panel, tenant, 1), 'governance to know the node and the plan');
    const commandId = await sent(tenant, [node]);
    const policyId = await create(tenant, { name: 'Secret policy', rule: encrypted });
    const { createCanary } = dataOf(
      await tenant.graphql<{ createCanary: { id: string } }>(
        'mutation ($input: CreateCanaryInput!) { createCanary(input: $input) { id } }',
        {
          input: {
            name: 'Secret canary',
            command: 'UPDATE',
            params: { version: '0.3.0' },
            steps: [{ percent: 100, bakeSeconds: 60 }],
          },
        },
      ),
    );
    const there: [path: string, title: string][] = [
      [`/commands/${commandId}`, 'Restart'],
      [`/governance/policies/${policyId}`, 'Secret policy'],
      [`/governance/canaries/${createCanary.id}`, 'Secret canary'],
    ];
    await using dana = await person();
    const own = await dana.signIn(tenant);
    await heading(own, 'Overview');
    await using stranger = await person();
    const page = await stranger.signIn(await (await stage.panel.world.tenant()).grantPlan('PRO'));
    await heading(page, 'Overview');
    for (const [path, title] of there) {
      await own.goto(stage.panel.panel.url + path);
      await heading(own, title);
      await page.goto(stage.panel.panel.url + path);
      await heading(page, 'There is no such page');
      expect(await page.content()).not.toContain(title);
    }
    expect([dana.complaints, stranger.complaints]).toEqual([[], []]);
  });
});
