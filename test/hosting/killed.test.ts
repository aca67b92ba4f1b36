import { expect, test } from 'vitest';

import { systemClock as agentClock } from '#agent/clock.js';
import { bootMachine } from '#agent/machine.js';
import { memoryStateStore } from '#agent/state-store.js';
import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox } from '#sandbox/hetzner/start.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { until, World, type Tenant } from '../support/world.js';
import { connect, decommission, provision, serverOf } from './support/hosting-panel.js';

const settleWithinMs = 150_000;

test(
  'a panel that is killed with servers at every edge makes each of them once, and takes down what was to go',
  { timeout: 300_000 },
  async () => {
    const database = await createTestDatabase();
    const port = await freePort();
    const secrets: string[] = [];
    let letIn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letIn = resolve));
    const hetzner = await startHetznerSandbox({
      port: 0,
      clock: systemClock,
      logger: silentLogger,
      timing: { createMs: 4_000, startMs: 4_000, deleteMs: 4_000 },
      boot: async ({ name, userData }) => {
        secrets.push(...(userData.match(/flt_[\w-]+/g) ?? []));
        if (name === 'enrolling') await held;
        return bootMachine({
          userData,
          clock: agentClock,
          logger: silentLogger,
          stateStore: memoryStateStore(),
          firstBeatWithinMs: 500,
        });
      },
    });
    const settings = {
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      HETZNER_API_BASE: hetzner.url,
      LOG_LEVEL: 'debug',
    };
    const running = [await new PanelProcess(port, settings).ready()];
    try {
      const tenant = await new World(running[0]!.url, new TestClock()).tenant();
      const token = hetzner.token();
      expect((await connect(tenant, token)).errors).toBeUndefined();
      secrets.push(token);
      const ids = new Map<string, string>();
      const ask = async (name: string, installCloudOs: boolean) => {
        const { data, errors } = await provision(tenant, { name, installCloudOs });
        expect(errors).toBeUndefined();
        ids.set(name, data!.provisionServer.id);
      };
      const reached = async (name: string, phase: string, of: Tenant = tenant) =>
        until(
          async () => (await serverOf(of, ids.get(name)!)).phase === phase,
          `${name} to be ${phase}`,
          settleWithinMs,
        );

      await Promise.all([ask('deleting', false), ask('enrolling', true)]);
      await Promise.all([reached('deleting', 'READY'), reached('enrolling', 'ENROLLING')]);
      await ask('booting', false);
      await reached('booting', 'BOOTING');
      await ask('creating', false);
      await until(async () => (await serverOf(tenant, ids.get('creating')!)).providerId !== null, 'creating');
      await decommission(tenant, ids.get('deleting')!);
      await until(
        async () =>
          hetzner.servers(token).some(({ name, status }) => name === 'deleting' && status === 'deleting'),
        'deleting',
      );
      // Between the call and its answer: done there and not told, and arrived there and not yet done.
      hetzner.addFault({ kind: 'delay', delayMs: 25_000, method: 'POST', body: 'committed' });
      hetzner.addFault({ kind: 'delay_before', delayMs: 25_000, method: 'POST', body: 'arrived' });
      await ask('committed', true);
      await ask('arrived', false);
      await until(
        async () =>
          (await serverOf(tenant, ids.get('arrived')!)).phase === 'CREATING' &&
          hetzner.servers(token).some(({ name }) => name === 'committed'),
        'both to be on their way',
      );
      // All of the process's hands are full, so this one is only written down.
      await ask('requested', true);
      expect((await serverOf(tenant, ids.get('requested')!)).phase).toBe('REQUESTED');
      expect(await running[0]!.kill('SIGKILL')).toBe('SIGKILL');

      running.push(await new PanelProcess(port, settings).ready());
      letIn();
      for (const name of ids.keys()) await reached(name, name === 'deleting' ? 'DELETED' : 'READY');
      const names = hetzner.servers(token).map(({ name }) => name);
      expect(names.toSorted()).toEqual([
        'arrived',
        'booting',
        'committed',
        'creating',
        'enrolling',
        'requested',
      ]);
      const nodes = await tenant.rest<{ name: string; status: string }[]>('/api/fleet/instances');
      expect(nodes.body.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual([
        'committed healthy',
        'enrolling healthy',
        'requested healthy',
      ]);
      expect(secrets).toHaveLength(4);
      for (const { output } of running) {
        expect(output).toContain('hosting');
        for (const secret of secrets) expect(output).not.toContain(secret);
      }
    } finally {
      for (const each of running) await each.kill('SIGKILL');
      await hetzner.stop();
      await database.drop();
    }
  },
);
