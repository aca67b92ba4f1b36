import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { alertsOf, firing, soon, updateRule } from '../fleet/alerts/support/panel.js';
import { sent, statuses, takeOne } from '../fleet/commands/support/commands.js';
import { drive, isKnown, workers } from '../governance/support/canaries.js';
import { create, encrypted, judged, nodeWith, signedIn, useScene } from '../governance/support/tenant.js';
import {
  hostingTenant,
  provision,
  reaches,
  serverOf,
  startHostingPanel,
  type HostingPanel,
} from '../hosting/support/hosting-panel.js';
import { dataOf, refusal } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import { dayMs } from './support/billing-panel.js';
import { advance } from './support/test-clock.js';

const minuteMs = 60_000;

// Nothing is bought: tenants grow older all the same.
let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel({
    settings: {
      TEST_CLOCKS: 'true',
      STRIPE_SECRET_KEY: ['sk', 'test', 'unused'].join('_'),
      STRIPE_API_BASE: 'http://127.0.0.1:9',
    },
  });
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('fleet', () => {
  test('licences are issued anew, by the time of the tenant', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    type Licence = { issuedAt: string; expiresAt: string; status: string; key: string };
    const read = async () =>
      (
        await tenant.graphql<{ instance: { licence: Licence | null } }>(
          'query($id: ID!) { instance(id: $id) { licence { issuedAt expiresAt status key } } }',
          { id: node.id },
        )
      ).data?.instance.licence;
    await until(async () => (await read()) != null, 'the licence');
    const first = (await read())!;
    const to = await advance(panel, tenant, 200 * dayMs);
    const second = (await read())!;
    expect(second).toMatchObject({ issuedAt: to.toISOString(), status: 'ACTIVE' });
    expect(new Date(second.expiresAt).getTime() - to.getTime()).toBe(35 * dayMs);
    const judged = await tenant.graphql<{ validateLicence: { code: string } }>(
      'query($input: ValidateLicenceInput!) { validateLicence(input: $input) { code } }',
      { input: { key: first.key } },
    );
    expect(dataOf(judged).validateLicence.code).toBe('EXPIRED');
  });

  test('a silent node is offline, its alert fires when its time has run out, and a beat ends both', async () => {
    const tenant = await panel.world.tenant();
    const beside = await panel.world.tenant();
    const node = await tenant.node();
    const other = await beside.node();
    // Silence counts once the panel has heard for long enough after its start.
    await panel.clock.advance(2 * minuteMs);
    await updateRule(tenant, { kind: 'OFFLINE', forSeconds: 600, keepFiringForSeconds: 0 });
    await node.beat();
    await other.beat();
    await advance(panel, tenant, 5 * minuteMs);
    const statusOf = async (whose: Tenant, id: string) =>
      (
        await whose.graphql<{ instance: { status: string } }>(
          'query($id: ID!) { instance(id: $id) { status } }',
          { id },
        )
      ).data?.instance.status;
    expect([await statusOf(tenant, node.id), await statusOf(beside, other.id)]).toEqual([
      'OFFLINE',
      'HEALTHY',
    ]);
    const pending = async () =>
      (await panel.sql(`select 1 from fleet.alert where tenant_id = $1 and status = 'PENDING'`, [tenant.id]))
        .length;
    await soon(panel, async () => (await pending()) === 1, 'the outage to be noted', 20);
    expect(await alertsOf(tenant)).toEqual([]);
    await advance(panel, tenant, 11 * minuteMs);
    await soon(panel, async () => (await alertsOf(tenant)).length > 0, 'the alert', 20);
    expect(await alertsOf(tenant)).toMatchObject([{ rule: 'offline', status: 'firing' }]);
    expect(await alertsOf(beside)).toEqual([]);
    await node.beat();
    expect(await statusOf(tenant, node.id)).toBe('HEALTHY');
    await soon(panel, async () => (await alertsOf(tenant, '?status=resolved')).length > 0, 'its end', 20);
  });

  test('a silence ends, and an alert that it held back is still there', async () => {
    const tenant = await panel.world.tenant();
    const { alert } = await firing(panel, tenant);
    const { createSilence } = dataOf(
      await tenant.graphql<{ createSilence: { id: string } }>(
        `mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }`,
        {
          input: {
            matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
            endsAt: new Date(panel.clock.now().getTime() + dayMs),
            comment: 'known',
          },
        },
      ),
    );
    const states = async () =>
      dataOf(
        await tenant.graphql<{ silences: { nodes: { id: string; state: string }[] } }>(
          '{ silences { nodes { id state } } }',
        ),
      ).silences.nodes;
    expect(await states()).toEqual([{ id: createSilence.id, state: 'ACTIVE' }]);
    await advance(panel, tenant, 2 * dayMs);
    expect(await states()).toEqual([{ id: createSilence.id, state: 'EXPIRED' }]);
    expect((await alertsOf(tenant)).map(({ id }) => id)).toContain(alert.id);
  });

  test('a lease runs out and the command is handed out again; one that nobody took ends', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const id = await sent(tenant, [node]);
    const first = await takeOne(node);
    await advance(panel, tenant, 2 * minuteMs);
    await soon(
      panel,
      async () => (await statuses(tenant, id, [node])).nodes[0] === 'delayed',
      'the lease to end',
      20,
    );
    const second = await takeOne(node);
    expect([second.id, second.lease === first.lease]).toEqual([id, false]);
    await advance(panel, tenant, 30 * dayMs);
    await soon(
      panel,
      async () => (await statuses(tenant, id, [node])).nodes[0] === 'delivery_timed_out',
      'the command to end',
      20,
    );
  });

  test('a maintenance window that comes again never ends before it begins', async () => {
    const tenant = await panel.world.tenant();
    type Window = { id: string; startsAt: string; endsAt: string };
    const inDays = (days: number) => new Date(panel.clock.now().getTime() + days * dayMs).toISOString();
    const make = async (name: string, from: number, to: number) =>
      dataOf(
        await tenant.graphql<{ createMaintenanceWindow: Window }>(
          `mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id startsAt endsAt } }`,
          {
            input: {
              name,
              effect: 'ALLOW',
              repeats: 'DAILY',
              startsAt: inDays(from),
              endsAt: inDays(to),
              durationMinutes: 60,
            },
          },
        ),
      ).createMaintenanceWindow;
    const ahead = await make('Ahead', 60, 70);
    const begun = await make('Begun', -1, 20);
    await advance(panel, tenant, 30 * dayMs);
    const rename = async ({ id }: Window) =>
      dataOf(
        await tenant.graphql<{ updateMaintenanceWindow: Window }>(
          `mutation($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { id startsAt endsAt } }`,
          { input: { id, name: `Renamed ${id}` } },
        ),
      ).updateMaintenanceWindow;
    // It goes by the calendar.
    expect(await rename(ahead)).toEqual(ahead);
    const over = await rename(begun);
    expect(over.startsAt).toBe(begun.startsAt);
    expect(new Date(over.endsAt).getTime() - new Date(over.startsAt).getTime()).toBe(minuteMs);
  });

  test('enrollment tokens end', async () => {
    const tenant = await panel.world.tenant();
    const token = await tenant.enrollmentToken({ expires_in_hours: 24 });
    await advance(panel, tenant, 2 * dayMs);
    const answer = await panel.world.rest('/api/agent/enroll', {
      body: { token, name: 'late', hostname: 'late.example.com', version: '0.2.9' },
    });
    expect(answer.status).toBe(401);
  });
});

describe('people', () => {
  test('sessions and keys end with their time, and whoever is signed in may sign in again', async () => {
    const tenant = await panel.world.tenant();
    const beside = await panel.world.tenant();
    const { createApiKey } = dataOf(
      await tenant.graphql<{ createApiKey: { key: string } }>(
        'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
        {
          input: {
            name: 'short',
            permissions: ['identity.tenant.read'],
            expiresInDays: 10,
            currentPassword: tenant.account.password,
          },
        },
      ),
    );
    await advance(panel, tenant, 60 * dayMs);
    const refresh = async ({ refreshToken }: Tenant) =>
      (await panel.world.rest('/api/auth/refresh', { body: { refresh_token: refreshToken } })).status;
    expect([await refresh(tenant), await refresh(beside)]).toEqual([401, 200]);
    const byKey = await panel.world.graphql('{ tenant { id } }', {}, createApiKey.key);
    expect(refusal(byKey)).toMatchObject({ code: 'UNAUTHENTICATED' });
    // The token in hand holds until it ends, and the password for ever.
    expect((await tenant.graphql('{ me { id } }')).errors).toBeUndefined();
    expect((await panel.world.login(tenant.account.email, tenant.account.password)).status).toBe(200);
  });
});

describe('governance', () => {
  test('an exemption ends, and what does not hold there is a violation again', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, { name: 'Encrypted', rule: encrypted });
    const expiresAt = new Date(panel.clock.now().getTime() + 7 * dayMs);
    dataOf(
      await tenant.graphql(
        'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
        {
          input: {
            policyId,
            instanceId: node.id,
            owner: 'ops',
            reason: 'Until the new disks are here',
            expiresAt,
          },
        },
      ),
    );
    const violations = async () => (await judged(tenant, node)).violations;
    expect(await violations()).toBe(0);
    await advance(panel, tenant, 6 * dayMs);
    expect(await violations()).toBe(0);
    await advance(panel, tenant, 2 * dayMs);
    await soon(panel, async () => (await violations()) === 1, 'it to be a violation', 20);
  });

  test('a canary begins when its time has come, and its bake is over once nodes have beaten again', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const all = await workers(tenant, 1);
    await until(() => isKnown(panel, tenant, 1), 'governance to know the node');
    const made = await tenant.rest<{ id: string }>('/api/governance/canary', {
      body: {
        name: 'Later',
        command: 'update',
        params: { version: '0.3.0' },
        steps: [{ percent: 100, bake_seconds: 86_400 }],
        start_at: new Date(panel.clock.now().getTime() + 3 * dayMs).toISOString(),
      },
    });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    const begun = panel.clock.now().getTime();
    await advance(panel, tenant, 3 * dayMs);
    await drive(panel, tenant, made.body.id, all, ['baking']);
    await advance(panel, await signedIn(tenant), dayMs);
    await drive(panel, tenant, made.body.id, all, ['succeeded']);
    expect(panel.clock.now().getTime() - begun).toBeLessThan(10 * minuteMs);
  });
});

describe('hosting', () => {
  test('a server whose node does not come fails when its time has run out', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const { id } = dataOf(await provision(tenant, { name: 'silent' })).provisionServer;
    await panel.pass(() => panel.hetzner.servers(token).length === 1, 'the provider to be told');
    await panel.sql(`update fleet.enrollment_token set bound_hostname = 'another' where tenant_id = $1`, [
      tenant.id,
    ]);
    await reaches(panel, tenant, id, 'ENROLLING');
    const begun = panel.clock.now().getTime();
    await advance(panel, tenant, 31 * minuteMs);
    await reaches(panel, tenant, id, 'FAILED');
    expect(await serverOf(tenant, id)).toMatchObject({ reason: 'ENROLLMENT_TIMED_OUT' });
    expect(panel.clock.now().getTime() - begun).toBeLessThan(10 * minuteMs);
  });
});
