import { inject } from 'vitest';

import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { PatroniCluster } from '../../support/patroni.js';

/** A panel on a database of its own in a cluster that Patroni keeps. */
export async function startPatroniPanel(cluster: PatroniCluster): Promise<TestPanel> {
  await cluster.sql('create database panel', 'pg-1');
  const ownerUrl = cluster.ownerUrl('panel');
  const app = new URL(ownerUrl);
  app.username = 'panel_app';
  app.password = inject('postgres').password;
  return startTestPanel(
    { DATABASE_OWNER_URL: ownerUrl, PATRONI_URLS: cluster.urls(), NODE_NAME: 'panel-1' },
    'in process',
    { name: 'panel', url: app.href, ownerUrl, drop: async () => undefined },
  );
}
