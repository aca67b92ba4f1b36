import pg from 'pg';
import { expect, test } from 'vitest';

import { systemClock as agentClock } from '#agent/clock.js';
import { bootMachine } from '#agent/machine.js';
import { memoryStateStore } from '#agent/state-store.js';
import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import type { CloudSandboxOptions } from '#sandbox/cloud/start.js';
import { startDigitalOceanSandbox } from '#sandbox/digitalocean/start.js';
import { startHetznerSandbox } from '#sandbox/hetzner/start.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, testAdministrator, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { until, World } from '../support/world.js';
import { connect, decommission, places, provision, serverOf } from './support/hosting-panel.js';

const settleWithinMs = 150_000;

test(
  'a panel that is killed with servers at every edge makes each of them once, and takes down what was to go',
  { timeout: 420_000 },
  async () => {
    const database = await createTestDatabase();
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const port = await freePort();
    const secrets: string[] = [];
    let letIn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letIn = resolve));
    const cloud: CloudSandboxOptions = {
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
    };
    const hetzner = await startHetznerSandbox(cloud);
    const digitalocean = await startDigitalOceanSandbox(cloud);
    const settings = {
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      HETZNER_API_BASE: hetzner.url,
      DIGITALOCEAN_API_BASE: digitalocean.url,
      LOG_LEVEL: 'debug',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
    };
    const running = [await new PanelProcess(port, settings).ready()];
    try {
      const tenant = await new World(running[0]!.url, new TestClock()).tenant();
      const token = hetzner.token();
      expect((await connect(tenant, token)).errors).toBeUndefined();
      const other = digitalocean.token();
      expect((await connect(tenant, other, 'digitalocean')).errors).toBeUndefined();
      secrets.push(token, other);
      const ids = new Map<string, string>();
      const ask = async (name: string, installCloudOs: boolean, place = places[0]!) => {
        const { provider, region, size } = place;
        const { data, errors } = await provision(tenant, { provider, region, size, name, installCloudOs });
        expect(errors).toBeUndefined();
        ids.set(name, data!.provisionServer.id);
      };
      const settled = async (phases: Record<string, string>) =>
        until(
          async () => {
            const { rows } = await owner.query<{ name: string; phase: string }>(
              'select name, phase from hosting.server',
            );
            const now = new Map(rows.map(({ name, phase }) => [name, phase]));
            return Object.entries(phases).every(([name, phase]) => now.get(name) === phase);
          },
          `servers to be ${JSON.stringify(phases)}`,
          settleWithinMs,
        );

      await tenant.grantPlan('PRO');
      await Promise.all([ask('deleting', false), ask('draining', true), ask('enrolling', true)]);
      await settled({ deleting: 'READY', draining: 'READY', enrolling: 'ENROLLING' });
      // The simulated node takes no commands, so this one stays open for as long as the drain may take.
      const { instanceId } = await serverOf(tenant, ids.get('draining')!);
      const sent = await tenant.rest('/api/fleet/commands', {
        body: { instance_ids: [instanceId], command: 'restart' },
      });
      expect(sent.status).toBe(201);
      await ask('booting', false);
      await settled({ booting: 'BOOTING' });
      await ask('creating', false);
      await until(async () => (await serverOf(tenant, ids.get('creating')!)).providerId !== null, 'creating');
      await decommission(tenant, ids.get('deleting')!);
      await until(
        async () =>
          hetzner.servers(token).some(({ name, status }) => name === 'deleting' && status === 'deleting'),
        'deleting',
      );
      // Between the call and its answer: done there and not told, where only marks keep a second one from being made; and
      // arrived there and not yet done.
      digitalocean.addFault({ kind: 'delay', delayMs: 25_000, method: 'POST', body: 'committed' });
      hetzner.addFault({ kind: 'delay_before', delayMs: 25_000, method: 'POST', body: 'arrived' });
      await ask('committed', true, places[1]!);
      await ask('arrived', false);
      await until(
        async () =>
          (await serverOf(tenant, ids.get('arrived')!)).phase === 'CREATING' &&
          digitalocean.servers(other).some(({ name }) => name === 'committed'),
        'both to be on their way',
      );
      // All of the process's hands are full, so this one is only written down.
      await ask('requested', true);
      expect((await serverOf(tenant, ids.get('requested')!)).phase).toBe('REQUESTED');
      await decommission(tenant, ids.get('draining')!, { drainSeconds: 20 });
      expect((await serverOf(tenant, ids.get('draining')!)).phase).toBe('DRAINING');
      expect(await running[0]!.kill('SIGKILL')).toBe('SIGKILL');

      running.push(await new PanelProcess(port, settings).ready());
      letIn();
      const going = ['deleting', 'draining'];
      await until(
        async () => hetzner.servers(token).some(({ name }) => name === 'arrived'),
        'what had arrived to be done',
        settleWithinMs,
      );
      // Whoever takes a step has a minute for it, which has passed then.
      await owner.query(`update hosting.server set due_at = due_at - interval '1 minute',
        calling_until = calling_until - interval '1 minute'`);
      const ends = [...ids.keys()].map((name) => [name, going.includes(name) ? 'DELETED' : 'READY']);
      await settled(Object.fromEntries(ends) as Record<string, string>);
      const names = hetzner.servers(token).map(({ name }) => name);
      expect(names.toSorted()).toEqual(['arrived', 'booting', 'creating', 'enrolling', 'requested']);
      expect(digitalocean.servers(other)).toMatchObject([{ name: 'committed' }]);
      const nodes = await tenant.rest<{ name: string; status: string }[]>('/api/fleet/instances');
      expect(nodes.body.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual([
        'committed healthy',
        'enrolling healthy',
        'requested healthy',
      ]);
      expect(secrets).toHaveLength(6);
      for (const { output } of running) {
        expect(output).toContain('hosting');
        for (const secret of secrets) expect(output).not.toContain(secret);
      }
    } finally {
      for (const each of running) await each.kill('SIGKILL');
      await hetzner.stop();
      await digitalocean.stop();
      await owner.end();
      await database.drop();
    }
  },
);
