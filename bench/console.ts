import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';
import { Pool } from 'undici';

import { assetPath } from '#platform/package-root.js';

import {
  beatBody,
  credentialsOf,
  instanceId,
  registerTenant,
  seedInstances,
  settle,
  type BenchTenant,
} from './support/fleet.js';
import { fixed, publish } from './support/report.js';
import { build, openStage } from './support/stage.js';
import { median, quantile } from './support/stats.js';

const size = 10_000;
const beating = 2_000;
const eventsPerSecond = 100;
const watchedMs = 20_000;
const scrolledFrames = 600;
/** More than a screen: every row of each frame is a new one. */
const pixelsPerFrame = 600;

/** The list of ten thousand instances in a real browser: what scrolling and a hundred events a second cost there. */
export async function consoleBench(): Promise<void> {
  build();
  spawnSync(process.execPath, [assetPath('tools', 'build-console.ts')], { stdio: 'inherit' });
  const stage = await openStage();
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    const panel = await stage.panel();
    const tenant = await registerTenant(panel.url);
    await seedInstances(stage, tenant.tenantId, 0, size);
    await settle(stage);
    const page = await signedIn(browser, panel.url, tenant);
    const start = performance.now();
    await page.goto(`${panel.url}/instances`);
    await page.getByText('10,000 instances', { exact: true }).waitFor({ timeout: 120_000 });
    const loadMs = performance.now() - start;
    const idle = await costOf(browser, page, async () => sleep(watchedMs));
    const scroll = await scrolled(page);
    const ids = Array.from({ length: beating }, (_, at) => instanceId(at));
    const credentials = await credentialsOf(
      stage,
      ids.map((id) => ({ tenantId: tenant.tenantId, id })),
    );
    const busy = await costOf(browser, page, async () => beats(panel.url, credentials));
    const shares = { idle: idle.core * 100, busy: busy.core * 100 };
    publish({
      name: 'console',
      setup: `${size} instances in Debian's chromium without a display and without a graphics processor; the panel, its database and the beating nodes share the machine`,
      figures: [
        { what: 'until all of them are in the list, ms', value: fixed(loadMs) },
        {
          what: `frames a second while ${pixelsPerFrame} pixels are scrolled each frame, in the median`,
          value: fixed(1000 / scroll.medianMs),
          target: '>= 60',
          isMet: 1000 / scroll.medianMs >= 59.5,
        },
        { what: '  the time between two frames, ms: 95 of 100', value: fixed(scroll.p95Ms) },
        { what: '  work of the main thread for a frame, ms', value: fixed(scroll.workMs) },
        {
          what: `cost of ${fixed(busy.events / (watchedMs / 1000))} events a second, % of a core in the page's process`,
          value: fixed(shares.busy),
          target: '< 20',
          isMet: shares.busy < 20,
        },
        { what: '  the same without events', value: fixed(shares.idle) },
      ],
      details: { scroll, idle, busy, loadMs },
    });
  } finally {
    await browser.close();
    await stage.stop();
  }
}

async function signedIn(browser: Browser, url: string, { account }: BenchTenant): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.getByLabel('E-mail').fill(account.email);
  await page.getByLabel('Password').fill(account.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}

interface Metrics {
  TaskDuration: number;
}

async function metricsOf(session: CDPSession): Promise<Metrics> {
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as unknown as Metrics;
}

async function scrolled(page: Page): Promise<{ medianMs: number; p95Ms: number; workMs: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const before = await metricsOf(session);
  // As text, since benches know no types of pages.
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const grid = document.querySelector('.grid');
    const times = [];
    let step = ${pixelsPerFrame};
    const frame = (now) => {
      times.push(now);
      if (times.length > ${scrolledFrames}) return resolve(times);
      if (grid.scrollTop + grid.clientHeight + step > grid.scrollHeight || grid.scrollTop + step < 0) step = -step;
      grid.scrollTop += step;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  const after = await metricsOf(session);
  await session.detach();
  const between = times.slice(1).map((time, at) => time - times[at]!);
  return {
    medianMs: median(between),
    p95Ms: quantile(between, 0.95),
    workMs: ((after.TaskDuration - before.TaskDuration) * 1000) / scrolledFrames,
  };
}

/** The share of a core that the page's own process takes while this goes on, and how many events came meanwhile. */
async function costOf(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<{ core: number; events: number }> {
  const ofBrowser = await browser.newBrowserCDPSession();
  const ofPage = await page.context().newCDPSession(page);
  await ofPage.send('Network.enable');
  let events = 0;
  ofPage.on('Network.webSocketFrameReceived', ({ response }) => {
    if (response.payloadData.includes('"type":"next"')) events += 1;
  });
  const cpuSeconds = async () => {
    const { processInfo } = await ofBrowser.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    return renderers.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const [from, start] = [await cpuSeconds(), performance.now()];
  await work();
  const core = (await cpuSeconds()) - from;
  const seconds = (performance.now() - start) / 1000;
  await Promise.all([ofBrowser.detach(), ofPage.detach()]);
  return { core: core / seconds, events };
}

/** Nodes beat one after the other, so many a second. */
async function beats(url: string, credentials: readonly string[]): Promise<void> {
  const pool = new Pool(url, { connections: 16 });
  const start = performance.now();
  const open: Promise<void>[] = [];
  for (let sent = 0; performance.now() - start < watchedMs; sent += 1) {
    await sleep(Math.max(0, start + (sent * 1000) / eventsPerSecond - performance.now()));
    open.push(beat(pool, credentials[sent % credentials.length]!, sent));
  }
  await Promise.all(open);
  await pool.close();
}

async function beat(pool: Pool, credential: string, sequence: number): Promise<void> {
  const { statusCode, body } = await pool.request({
    path: '/api/agent/heartbeat',
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    body: beatBody(sequence),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`heartbeat: ${statusCode} ${text}`);
}
