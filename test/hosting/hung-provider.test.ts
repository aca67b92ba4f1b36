import { afterAll, beforeAll, expect, test } from 'vitest';

import { until } from '../support/world.js';
import { asked, droplet } from './support/at-provider.js';
import {
  decommission,
  hostingTenant,
  serverOf,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

const timeout = 300_000;

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel({ settings: { PROVIDER_TIMEOUT_SECONDS: '20' } });
});
afterAll(async () => panel.stop());

/** Time goes on also while steps wait for an answer. */
const goOn = async () => panel.clock.leap(1_000);

test('while a provider says nothing prices are told as it last told them, for one call of all who ask', async () => {
  const { tenant } = await hostingTenant(panel);
  const ask = async () => {
    const { data, errors } = await tenant.graphql<{ hostingSizes: { id: string }[] }>(
      '{ hostingSizes(provider: "hetzner") { id priceMonthly } }',
    );
    expect(errors).toBeUndefined();
    return data!.hostingSizes;
  };
  const known = await ask();
  await panel.clock.leap(6 * 60_000);
  panel.hetzner.addFault({ kind: 'no_answer', method: 'GET', path: '/v1/pricing', next: 100 });
  const calls = () => panel.hetzner.requests()['GET /pricing'] ?? 0;
  const [before, from] = [calls(), performance.now()];
  const answers = await Promise.all(Array.from({ length: 10 }, ask));
  expect(performance.now() - from).toBeLessThan(9_000);
  expect(answers).toEqual(answers.map(() => known));
  expect(known.length).toBeGreaterThan(5);
  expect(calls() - before).toBe(1);
  panel.hetzner.clearFaults();
});

test(
  'a provider that takes calls and says nothing holds up no server at another, and what is tried again heaps up nothing',
  { timeout },
  async () => {
    const [{ tenant }, other] = [
      await hostingTenant(panel, 'PRO', 'digitalocean'),
      await hostingTenant(panel),
    ];
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => asked(tenant, { ...droplet, name: `stays-${at}` })),
    );
    const areReady = async () => {
      const rows = await panel.sql<{ phase: string }>('select phase from hosting.server where id = any($1)', [
        ids,
      ]);
      return rows.every(({ phase }) => phase === 'READY');
    };
    await panel.pass(areReady, 'the droplets');
    panel.digitalocean.addFault({ kind: 'no_answer', next: 100_000 });
    for (const id of ids) await decommission(tenant, id);
    const id = await asked(other.tenant, { name: 'free-01', installCloudOs: false });
    await until(
      async () => {
        await goOn();
        return (await serverOf(other.tenant, id)).phase === 'READY';
      },
      'the other server',
      30_000,
    );
    const waiting = async () => {
      const [row] = await panel.sql<{ count: number }>(
        `select count(*)::int as count from jobs.job where name = 'hosting.server.advance' and state = 'created'`,
      );
      return row!.count;
    };
    for (let seconds = 0; seconds < 180; seconds += 1) await goOn();
    await until(async () => (await waiting()) === 0, 'nothing to wait for its turn');
    const [row] = await panel.sql<{ count: number }>(
      `select count(*)::int as count from hosting.server where id = any($1) and phase = 'DELETING'`,
      [ids],
    );
    expect(row!.count).toBe(ids.length);
  },
);
