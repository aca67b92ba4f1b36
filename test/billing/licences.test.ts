import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { LicenceKeeper } from '#agent/licence/keeper.js';
import { silentLogger } from '#platform/logger.js';

import { HandClock } from '../agent/support/hand-clock.js';
import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node, type Tenant } from '../support/world.js';

let panel: TestPanel;
let keys: JsonWebKey[];
beforeAll(async () => {
  panel = await startTestPanel();
  keys = (await panel.world.rest<{ keys: JsonWebKey[] }>('/licences/keys.json')).body.keys;
});
afterAll(async () => panel.stop());

interface RestLicence {
  id: string;
  key: string;
  plan: string;
  status: string;
  instance_id: string;
  features: string[];
  issued_at: string;
  expires_at: string;
}

/** What a node does with the network off: Node's own crypto, the published key, and nothing else. */
function verifiesOffline(key: string): Record<string, unknown> | undefined {
  const [header, payload, signature] = key.split('.');
  const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
  const jwk = keys.find((each) => each['kid'] === kid);
  const isGood =
    jwk !== undefined &&
    verify(
      null,
      Buffer.from(`${header}.${payload}`),
      createPublicKey({ key: jwk, format: 'jwk' }),
      Buffer.from(signature!, 'base64url'),
    );
  return isGood
    ? (JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>)
    : undefined;
}

async function licenceOf(node: Node): Promise<RestLicence> {
  let found: RestLicence | undefined;
  await until(async () => {
    const answer = await panel.world.rest<RestLicence>('/api/agent/license', { token: node.credential });
    if (answer.status === 200) found = answer.body;
    return answer.status === 200;
  }, 'the licence of a node');
  return found!;
}

const validate = async (tenant: Tenant, key: string, instanceId?: string) =>
  dataOf(
    await tenant.graphql<{ validateLicence: { code: string; isValid: boolean } }>(
      'query($input: ValidateLicenceInput!) { validateLicence(input: $input) { code isValid } }',
      { input: { key, instanceId } },
    ),
  ).validateLicence;

test('a node gets a licence that it verifies with the network off, and that fails when altered', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const licence = await licenceOf(node);
  expect(licence).toEqual({
    id: expect.stringMatching(/^lic_/),
    key: expect.any(String),
    plan: 'free',
    status: 'active',
    instance_id: node.id,
    features: ['fleet-management'],
    issued_at: expect.stringMatching(/Z$/),
    expires_at: expect.stringMatching(/Z$/),
  });
  expect(verifiesOffline(licence.key)).toMatchObject({
    sub: node.id,
    plan: 'free',
    features: ['fleet-management'],
  });
  const [header, payload, signature] = licence.key.split('.');
  const richer = Buffer.from(
    Buffer.from(payload!, 'base64url').toString().replace('"free"', '"pro"'),
  ).toString('base64url');
  expect(verifiesOffline(`${header}.${richer}.${signature}`)).toBeUndefined();
  expect(await validate(tenant, licence.key)).toEqual({ code: 'VALID', isValid: true });
  expect(await validate(tenant, `${header}.${richer}.${signature}`)).toEqual({
    code: 'SIGNATURE_INVALID',
    isValid: false,
  });
});

test('the reference agent keeps its licence and judges it with the panel away', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await licenceOf(node);
  const folder = await mkdtemp(join(tmpdir(), 'licence-'));
  const clock = { now: () => panel.clock.now(), delay: async () => new Promise<void>(() => undefined) };
  const options = {
    panelUrl: panel.panel.url,
    file: join(folder, 'node.licence'),
    clock,
    logger: silentLogger,
  };
  const keeper = new LicenceKeeper(options);
  keeper.start(() => ({ instanceId: node.id, credential: node.credential }));
  await until(async () => (await keeper.verdict(node.id)) !== undefined, 'the agent to have its licence');
  keeper.stop();
  // Started anew, with nobody to ask.
  const away = async () => Promise.reject(new Error('the network is off'));
  const alone = new LicenceKeeper({ ...options, fetch: away });
  expect(await alone.verdict(node.id)).toMatchObject({ isGood: true, terms: { plan: 'free' } });
  expect(await alone.verdict('inst_another')).toEqual({ isGood: false, problem: 'WRONG_INSTANCE' });
  const kept = await readFile(options.file, 'utf8');
  const { licence, keys: known } = JSON.parse(kept) as { licence: string; keys: JsonWebKey[] };
  const [header, , signature] = licence.split('.');
  const longer = Buffer.from(JSON.stringify({ ...verifiesOffline(licence), exp: 9_999_999_999 })).toString(
    'base64url',
  );
  await writeFile(options.file, JSON.stringify({ licence: `${header}.${longer}.${signature}`, keys: known }));
  expect(await new LicenceKeeper({ ...options, fetch: away }).verdict(node.id)).toEqual({
    isGood: false,
    problem: 'SIGNATURE_INVALID',
  });
  await writeFile(options.file, kept);
  const later = { ...clock, now: () => new Date(panel.clock.now().getTime() + 36 * 24 * 60 * 60_000) };
  const late = new LicenceKeeper({ ...options, clock: later, fetch: away });
  expect(await late.verdict(node.id)).toEqual({ isGood: false, problem: 'EXPIRED' });
});

test.each([
  ['of which the keys tell nothing', { kid: 'another' }],
  ['whose key is none', { kty: 'nonsense' }],
])(
  'a licence %s leaves the one that an agent keeps, after a restart too, and is asked for again',
  async (_, changes) => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await licenceOf(node);
    const file = join(await mkdtemp(join(tmpdir(), 'licence-')), 'node.licence');
    const known = () => ({ instanceId: node.id, credential: node.credential });
    const begin = async (ask: typeof fetch) => {
      const clock = new HandClock(panel.clock.now());
      const options = { panelUrl: panel.panel.url, file, clock, fetch: ask, logger: silentLogger };
      const keeper = new LicenceKeeper(options);
      keeper.start(known);
      onTestFinished(() => keeper.stop());
      return { keeper, askedAgainIn: await clock.sleeping() };
    };
    expect((await begin(fetch)).askedAgainIn).toBe(6 * 60 * 60_000);
    const kept = await readFile(file, 'utf8');
    const restarted = await begin(async (...call) => {
      const isForKeys = call[0] instanceof URL && call[0].pathname === '/licences/keys.json';
      return isForKeys
        ? Response.json({ keys: keys.map((key) => ({ ...key, ...changes })) })
        : fetch(...call);
    });
    expect(restarted.askedAgainIn).toBe(60_000);
    expect(await readFile(file, 'utf8')).toBe(kept);
    expect(await restarted.keeper.verdict(node.id)).toMatchObject({ isGood: true });
  },
);

test('a licence is of one node and one tenant', async () => {
  const tenant = await panel.world.tenant();
  const [node, other] = [await tenant.node(), await tenant.node()];
  const { key } = await licenceOf(node);
  expect(await validate(tenant, key, node.id)).toEqual({ code: 'VALID', isValid: true });
  expect(await validate(tenant, key, other.id)).toEqual({ code: 'WRONG_INSTANCE', isValid: false });
  const stranger = await panel.world.tenant();
  expect(await validate(stranger, key)).toEqual({ code: 'UNKNOWN', isValid: false });
  expect(refusal(await tenant.graphql('{ ownLicence { id } }'))).toMatchObject({ code: 'FORBIDDEN' });
  const listed = await tenant.rest<RestLicence[]>('/api/billing/licenses');
  expect(listed.body.map(({ instance_id }) => instance_id).toSorted()).toEqual(
    [node.id, other.id].toSorted(),
  );
  expect((await stranger.rest('/api/billing/licenses')).body).toEqual([]);
  const joined = await tenant.graphql('{ instances { nodes { id licence { instanceId plan } } } }');
  expect(dataOf(joined)).toEqual({
    instances: {
      nodes: [node, other].map(({ id }) => ({ id, licence: { instanceId: id, plan: 'FREE' } })),
    },
  });
});

test('another plan issues them anew, and the ones before are superseded', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const before = await licenceOf(node);
  await panel.clock.advance(1_000);
  await tenant.grantPlan('PRO');
  await until(async () => (await licenceOf(node)).plan === 'pro', 'the licence of the new plan');
  const after = await licenceOf(node);
  expect(after).toMatchObject({ id: before.id, features: expect.arrayContaining(['governance']) });
  expect(await validate(tenant, before.key)).toEqual({ code: 'SUPERSEDED', isValid: false });
  expect(await validate(tenant, after.key)).toEqual({ code: 'VALID', isValid: true });
});

test('a node that leaves the fleet frees its licence', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const { id, key } = await licenceOf(node);
  await tenant.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE' });
  await until(async () => (await validate(tenant, key)).code === 'FREED', 'the licence to be freed');
  expect((await tenant.rest('/api/billing/licenses')).body).toEqual([]);
  // By its id it is found still.
  const find = async (by: Tenant) =>
    by.graphql('query($id: ID!) { licence(id: $id) { instanceId } }', { id });
  expect(dataOf(await find(tenant))).toEqual({ licence: { instanceId: node.id } });
  expect(refusal(await find(await panel.world.tenant()))).toEqual({ code: 'NOT_FOUND' });
});

test('the list tells of each licence whose it is, what there is to say of it and when it is issued anew, by status', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const [node, other] = [await tenant.node(), await tenant.node()];
  for (const each of [node, other]) await licenceOf(each);
  const shown = 'id instanceId status code expiresAt renewsAt instance { name }';
  const list = async (by: Tenant, status?: string) =>
    dataOf(
      await by.graphql<{ licences: { nodes: { id: string; expiresAt: string }[]; totalCount: number } }>(
        `query ($filter: LicenceFilter) { licences(filter: $filter) { nodes { ${shown} } totalCount } }`,
        { filter: { status: status ?? null } },
      ),
    ).licences;
  const day = 24 * 3_600_000;
  const as = (each: Node, more: object) => ({
    id: expect.stringMatching(/^lic_/),
    instanceId: each.id,
    instance: { name: each.name },
    expiresAt: expect.any(String),
    ...more,
  });
  const good = await list(tenant, 'ACTIVE');
  const renewsAt = new Date(Date.parse(good.nodes[0]!.expiresAt) - 14 * day).toISOString();
  const valid = { status: 'ACTIVE', code: 'VALID', renewsAt };
  expect(good).toEqual({
    totalCount: 2,
    nodes: expect.arrayContaining([as(node, valid), as(other, valid)]),
  });
  expect(await list(tenant, 'EXPIRED')).toEqual({ totalCount: 0, nodes: [] });
  expect(await list(stranger)).toEqual({ totalCount: 0, nodes: [] });
  // A payment is overdue: nothing is issued anew meanwhile, and one has ended by now.
  await panel.sql(
    `insert into billing.entitlement (tenant_id, version, plan, features, limits, is_read_only)
     values ($1, 1, 'FREE', array['fleet-management'], '{"instances": 3}', true)
     on conflict (tenant_id) do update set is_read_only = true`,
    [tenant.id],
  );
  await panel.sql('update billing.licence set expires_at = $1 where instance_id = $2', [
    new Date(panel.clock.now().getTime() - day),
    node.id,
  ]);
  const ended = await list(tenant, 'EXPIRED');
  expect(ended).toEqual({
    totalCount: 1,
    nodes: [as(node, { status: 'EXPIRED', code: 'EXPIRED', renewsAt: null })],
  });
  expect((await list(tenant, 'ACTIVE')).nodes).toEqual([
    as(other, { status: 'ACTIVE', code: 'OVERDUE', renewsAt: null }),
  ]);
  await tenant.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE' });
  const freed = async () =>
    dataOf(
      await tenant.graphql<{ licence: object }>(
        `query ($id: ID!) { licence(id: $id) { code renewsAt instance { name } } }`,
        { id: ended.nodes[0]!.id },
      ),
    ).licence;
  await expect.poll(freed).toEqual({ code: 'FREED', renewsAt: null, instance: null });
});

test('a licence that was freed is forgotten after a year', async () => {
  const tenant = await panel.world.tenant();
  const freed = async (id: string, days: number) =>
    panel.sql(
      `insert into billing.licence (tenant_id, id, instance_id, plan, features, issued_at, expires_at, freed_at)
       values ($1, $2, $2, 'FREE', '{}', $3, $3, $3)`,
      [tenant.id, id, new Date(panel.clock.now().getTime() - days * 24 * 3_600_000)],
    );
  await freed('old', 366);
  await freed('young', 364);
  const left = async () => {
    await panel.clock.advance(3_600_000);
    return panel.sql('select id from billing.licence where tenant_id = $1', [tenant.id]);
  };
  await expect.poll(left, { timeout: 30_000 }).toEqual([{ id: 'young' }]);
});

test('a licence is renewed long before it ends', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const first = await licenceOf(node);
  await panel.clock.advance(22 * 24 * 60 * 60_000);
  const stored = async () =>
    (
      await panel.sql<{ expires_at: Date }>('select expires_at from billing.licence where instance_id = $1', [
        node.id,
      ])
    )[0]!.expires_at;
  await until(async () => (await stored()) > new Date(first.expires_at), 'the licence to be renewed');
  expect((await stored()).getTime() - panel.clock.now().getTime()).toBeGreaterThan(14 * 24 * 60 * 60_000);
});
