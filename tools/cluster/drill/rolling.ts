import { setTimeout as sleep } from 'node:timers/promises';

import type { Cluster } from '../cluster.js';
import type { Client } from './client.js';

const lookMs = 500;
// Of one panel: it drains, ends, is started anew, and serves.
const restartWithinMs = 120_000;
// Of three panels, each of which serves for ten seconds before the next one is told.
const upgradeWithinMs = 360_000;
/** Until haproxy sends requests to a panel that is ready. */
const takenBackMs = 2_000;
const panels = ['panel-1', 'panel-2', 'panel-3'] as const;

/** Ends each panel as whoever restarts by hand does: the next one once the one before serves again. */
export async function restartPanels(cluster: Cluster): Promise<void> {
  for (const name of panels) {
    const panel = cluster.process(name);
    const { endings } = panel;
    panel.signal('SIGTERM');
    await until(restartWithinMs, `${name} did not come back`, async () => {
      const isAnew = panel.endings > endings && panel.pid !== undefined;
      return isAnew && (await cluster.isReady(name));
    });
    await sleep(takenBackMs);
  }
}

/** Has the panels upgrade themselves, once whoever starts them would start the other version. */
export async function upgradePanels(cluster: Cluster, client: Client): Promise<void> {
  const version = '2.0.0-drill';
  for (const name of panels) cluster.process(name).member.settings['PANEL_VERSION'] = version;
  const asked = await client.call('POST', '/api/cc/ha/upgrade', { body: { version } });
  if (asked.status !== 201) throw new Error(`the upgrade was answered ${asked.status}`);
  await until(upgradeWithinMs, 'the upgrade did not end', async () => {
    const { body } = await client.call('POST', '/graphql', {
      body: { query: '{ haUpgrades(first: 1) { status reason } }' },
    });
    const { data } = body as { data?: { haUpgrades: { status: string; reason: string | null }[] } };
    const [upgrade] = data?.haUpgrades ?? [];
    if (upgrade?.status === 'PAUSED') throw new Error(`the upgrade is paused: ${upgrade.reason}`);
    return upgrade?.status === 'SUCCEEDED';
  });
}

async function until(ms: number, complaint: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + ms; !(await isSo()); await sleep(lookMs))
    if (performance.now() > end) throw new Error(`${complaint} within ${ms / 1000} s`);
}
