import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import type { Exchange } from '#sandbox/cloud/http/api.js';
import type { CloudSandbox } from '#sandbox/cloud/start.js';
import type { Driver, ServerSpec } from '#subgraphs/hosting/provider/driver.js';
import { ProviderError, type ProviderErrorKind } from '#subgraphs/hosting/provider/provider-error.js';

import { TestClock } from '../support/clock.js';
import { kinds } from './support/provider-kinds.js';

const panel = 'f00f';
const tenant = 'org_one';

describe.each(kinds)('the driver of $id', (kind) => {
  const clock = new TestClock();
  const exchanges: Exchange[] = [];
  let sandbox: CloudSandbox;
  let driver: Driver;
  beforeAll(async () => {
    sandbox = await kind.start({
      port: 0,
      clock,
      logger: silentLogger,
      // A minute may have a twentieth of an hour's.
      requestsAnHour: 100_000,
      observe: (exchange) => exchanges.push(exchange),
    });
    driver = kind.driver(sandbox.url);
  });
  afterAll(async () => sandbox.stop());

  const session = (token = sandbox.token()) => {
    const told: [number, number][] = [];
    return { token, told, onBudget: (limit: number, left: number) => void told.push([limit, left]) };
  };
  const wanted = (server: string, more: Partial<ServerSpec> = {}): ServerSpec => ({
    name: 'web-01',
    size: kind.size,
    location: kind.location,
    architecture: 'x86',
    sshKeys: [],
    userData: '#cloud-config\n{}\n',
    marks: { panel, tenant, server },
    ...more,
  });
  const kindOf = async (call: Promise<unknown>): Promise<ProviderErrorKind | 'none'> =>
    call.then(
      () => 'none' as const,
      (error: unknown) => {
        if (error instanceof ProviderError) return error.kind;
        throw error;
      },
    );

  test('takes a token that may do all that is needed, says what is wrong with others, and changes nothing', async () => {
    const good = session();
    expect(await kindOf(driver.verify(good))).toBe('none');
    expect(sandbox.servers(good.token)).toEqual([]);
    expect(await kindOf(driver.verify(session(sandbox.token({ access: 'read-only' }))))).toBe('READ_ONLY');
    expect(await kindOf(driver.verify(session('nobody')))).toBe('UNAUTHORIZED');
  });

  test('takes a token whatever the provider says of what is not there, and none of a provider that is away', async () => {
    const { code, message } = kind.says.REFUSED;
    for (const method of ['POST', 'DELETE'] as const)
      sandbox.addFault({ kind: 'error', method, code, message, next: 2 });
    expect(await kindOf(driver.verify(session()))).toBe('none');
    sandbox.clearFaults();
    sandbox.addFault({ kind: 'html', method: 'DELETE' });
    expect(await kindOf(driver.verify(session()))).toBe('AWAY');
    sandbox.clearFaults();
  });

  test.runIf(kind.scopes.length > 0)('takes no token that lacks a scope, and names it', async () => {
    const trial = async (scopes: readonly string[]) =>
      driver.verify(session(sandbox.token({ scopes: ['account:read', ...scopes] })));
    expect(await kindOf(trial(kind.scopes))).toBe('none');
    for (const scope of kind.scopes)
      await expect(trial(kind.scopes.filter((other) => other !== scope))).rejects.toMatchObject({
        kind: 'READ_ONLY',
        message: expect.stringContaining(scope),
      });
  });

  test('tells what can be had where, for how much and in what currency', async () => {
    const { currency, regions, sizes, addresses } = await driver.catalogue(session());
    expect(currency).toBe(kind.currency);
    expect(regions.find(({ id }) => id === kind.location)).toMatchObject({ zone: kind.zone });
    const placeOf = ({ size, location }: { size: string; location: string }) =>
      sizes.find(({ id }) => id === size)?.places.find(({ region }) => region === location);
    expect(placeOf(kind)).toEqual({ region: kind.location, isAvailable: true, endsAt: null, ...kind.price });
    expect(addresses?.find(({ region }) => region === kind.location)).toEqual(
      kind.address && { region: kind.location, ...kind.address },
    );
    expect(placeOf(kind.soldOut)).toMatchObject({ isAvailable: false });
    expect(sizes.every(({ vcpus, memoryGb, diskGb }) => vcpus > 0 && memoryGb >= 1 && diskGb > 0)).toBe(true);
    // Those with graphics processors need images of their own.
    expect(sizes.some(({ id }) => id.startsWith('gpu'))).toBe(false);
  });

  test('follows a server from its creation to its end, and leaves nothing behind', async () => {
    const mine = session();
    const marks = { panel, tenant, server: 'srv_whole' };
    const { seen, operationIds } = await driver.create(mine, wanted('srv_whole'));
    expect(seen).toMatchObject({ name: 'web-01', marks, isRunning: false });
    expect(mine.told.at(-1)?.[0]).toBe(100_000);
    const states = async () =>
      [...(await driver.progress(mine, operationIds)).values()].map(({ state }) => state);
    expect(new Set(await states())).toEqual(new Set(['running']));
    await clock.advance(5_000);
    expect(new Set(await states())).toEqual(new Set(['done']));
    const found = await driver.find(mine, marks);
    expect(found).toMatchObject({
      providerId: seen.providerId,
      isRunning: true,
      ipAddress: expect.stringMatching(/^198\.1[89]\./),
    });
    expect(await driver.read(mine, seen.providerId)).toEqual(found);
    expect(await driver.list(mine, { panel, tenant })).toEqual([found]);
    expect(await driver.remove(mine, seen.providerId)).toEqual(expect.any(Array));
    await clock.advance(5_000);
    expect(await driver.read(mine, seen.providerId)).toBeUndefined();
    expect(await driver.find(mine, marks)).toBeUndefined();
    expect(await driver.remove(mine, seen.providerId)).toBeUndefined();
    await driver.forget?.(mine, marks);
    await driver.forget?.(mine, marks);
    if (!driver.forget) return;
    const tags = await fetch(`${sandbox.url}/tags`, { headers: { authorization: `Bearer ${mine.token}` } });
    expect(await tags.text()).not.toContain('srv_whole');
  });

  test('tells what stays at the provider when a server is deleted, as far as the token shows it', async () => {
    const project = 'rich';
    const mine = session(sandbox.token({ project }));
    const { seen } = await driver.create(mine, wanted('srv_rich', { name: 'rich' }));
    expect(seen).toMatchObject({ size: kind.size, location: kind.location });
    expect(await driver.attachments(mine, seen.providerId)).toEqual([]);
    sandbox.attach(mine.token, 'rich', { kind: 'volume', name: 'data-1' });
    sandbox.attach(mine.token, 'rich', { kind: 'address', name: '192.0.2.7' });
    sandbox.attach(mine.token, 'rich', { kind: 'snapshot', name: 'before' });
    sandbox.keepAddress(mine.token, 'rich');
    const { ipv4 } = sandbox.servers(mine.token)[0]!;
    const told = (attachments: readonly { kind: string; name: string }[]) =>
      attachments.map(({ kind: of, name }) => `${of} ${name}`);
    // Hetzner tells of no server which snapshots are of it; DigitalOcean has no address that may stay by itself.
    const last = kind.id === 'hetzner' ? `ADDRESS ${ipv4}` : 'SNAPSHOT before';
    expect(told(await driver.attachments(mine, seen.providerId))).toEqual([
      'VOLUME data-1',
      'ADDRESS 192.0.2.7',
      last,
    ]);
    expect(await driver.attachments(mine, '1')).toEqual([]);
  });

  test.runIf(kind.scopes.length > 0)('tells of volumes that a token may not see by their ids', async () => {
    const project = 'hidden';
    const mine = session(sandbox.token({ project }));
    const { seen } = await driver.create(mine, wanted('srv_hidden', { name: 'hidden' }));
    sandbox.attach(mine.token, 'hidden', { kind: 'volume', name: 'data-1' });
    sandbox.attach(mine.token, 'hidden', { kind: 'address', name: '192.0.2.7' });
    const narrow = session(sandbox.token({ project, scopes: ['account:read', ...kind.scopes] }));
    const found = await driver.attachments(narrow, seen.providerId);
    expect(found).toEqual([{ kind: 'VOLUME', providerId: found[0]!.providerId, name: found[0]!.providerId }]);
    expect(await driver.attachments(mine, seen.providerId)).toMatchObject([
      { name: 'data-1' },
      { kind: 'ADDRESS' },
    ]);
  });

  test('knows servers by their marks: others of the same name are left alone, and lists have no end of their own', async () => {
    const mine = session();
    await driver.create(mine, wanted('srv_a'));
    const again = driver.create(mine, wanted('srv_b'));
    expect(await kindOf(again)).toBe(kind.isNameUnique ? 'NAME_TAKEN' : 'none');
    const marks = (server: string, more = {}) => ({ panel, tenant, server, ...more });
    await driver.create(mine, wanted('', { name: 'c', marks: marks('srv_c', { panel: 'beef' }) }));
    await driver.create(mine, wanted('', { name: 'd', marks: marks('srv_d', { tenant: 'org_two' }) }));
    expect((await driver.find(mine, marks('srv_a')))?.marks).toEqual(marks('srv_a'));
    expect(await driver.find(mine, marks('srv_c'))).toBeUndefined();
    expect(await driver.find(mine, marks('srv_d'))).toBeUndefined();
    for (let at = sandbox.servers(mine.token).length; at < kind.many + 2; at += 1)
      await driver.create(mine, wanted('', { name: `n${at}`, marks: marks(`srv_n${at}`) }));
    const all = await driver.list(mine, { panel, tenant });
    expect(all).toHaveLength(kind.many);
    expect(new Set(all.map(({ providerId }) => providerId)).size).toBe(kind.many);
  });

  test('asks for all that is under way in as few requests as pages have room', async () => {
    const mine = session();
    const operationIds: string[] = [];
    for (let at = 0; at < 60; at += 1) {
      const made = await driver.create(
        mine,
        wanted('', { name: `p${at}`, marks: { panel, tenant, server: `srv_p${at}` } }),
      );
      operationIds.push(...made.operationIds);
    }
    const before = sandbox.requests()['all']!;
    expect((await driver.progress(mine, operationIds)).size).toBe(operationIds.length);
    expect(sandbox.requests()['all']! - before).toBe(
      Math.ceil(operationIds.length / driver.operationsPerRequest),
    );
    expect(await driver.progress(mine, ['1'])).toEqual(new Map());
  });

  test('says why a server was not made: what is final, what passes, and what is not known', async () => {
    const mine = session();
    const make = async (more: Partial<ServerSpec> = {}) => kindOf(driver.create(mine, wanted('srv_x', more)));
    expect(await make({ ...kind.soldOut })).toBe('SOLD_OUT');
    expect(await make({ size: 'none' })).toBe('REFUSED');
    expect(await make({ name: 'no_underscores' })).toBe('REFUSED');
    expect(await make({ sshKeys: ['none'] })).toBe('REFUSED');
    for (const [expected, { code, message }] of Object.entries(kind.says)) {
      sandbox.addFault({ kind: 'error', method: 'POST', code, message });
      expect(await make()).toBe(expected);
    }
    for (const fault of ['html', 'drop_before', 'drop_after_commit'] as const) {
      sandbox.addFault({ kind: fault, method: 'POST' });
      expect(await make()).toBe('AWAY');
    }
    sandbox.addFault({ kind: 'delay_before', delayMs: 500, method: 'POST' });
    const hasty = kind.driver(sandbox.url, 200);
    expect(await kindOf(hasty.create(mine, wanted('srv_l', { name: 'late' })))).toBe('AWAY');
    sandbox.addFault({ kind: 'error', method: 'POST', code: 'server_error', message: 'oh' });
    expect(await make()).toBe('AWAY');
    sandbox.addFault({ kind: 'action_error', method: 'POST', code: 'action_failed', message: 'no' });
    const { operationIds } = await driver.create(mine, wanted('srv_y', { name: 'y' }));
    await clock.advance(5_000);
    const [first] = (await driver.progress(mine, operationIds)).values();
    expect(first).toMatchObject({ state: 'failed', message: expect.any(String), code: expect.any(String) });
    expect(
      await kindOf(driver.list(session(sandbox.token({ access: 'read-only' })), { panel, tenant })),
    ).toBe('none');
  });

  test('gives SSH keys by their names', async () => {
    const mine = session();
    const path = kind.id === 'hetzner' ? '/ssh_keys' : '/account/keys';
    const body = { name: 'ops', public_key: `ssh-ed25519 ${Buffer.from(kind.id).toString('base64')} a` };
    const made = await fetch(sandbox.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${mine.token}` },
      body: JSON.stringify(body),
    });
    expect(made.status).toBe(201);
    expect(await kindOf(driver.create(mine, wanted('srv_k', { sshKeys: ['ops'] })))).toBe('none');
  });

  test('is told when its allowance is spent, and for how long', async () => {
    const small = await kind.start({ port: 0, clock, logger: silentLogger, requestsAnHour: 3 });
    const near = kind.driver(small.url);
    const mine = session(small.token());
    const calls = async () => near.find(mine, { panel, tenant, server: 'srv_z' });
    let error: unknown;
    for (let at = 0; at < 4; at += 1) await calls().catch((thrown: unknown) => (error = thrown));
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ kind: 'RATE_LIMITED', options: { retryAfterMs: expect.any(Number) } });
    expect(mine.told.at(-1)).toEqual([3, 0]);
    await small.stop();
  });

  test('asks again when whoever stands before the provider says, and not before', async () => {
    const mine = session();
    const refusal = async (status: number, retryAfter?: string) => {
      sandbox.addFault({ kind: 'html', status, ...(retryAfter === undefined ? {} : { retryAfter }) });
      return driver.list(mine, { panel, tenant }).then(
        () => undefined,
        (error: unknown) => error,
      );
    };
    expect(await refusal(429, '42')).toMatchObject({
      kind: 'RATE_LIMITED',
      options: { retryAfterMs: 42_000 },
    });
    expect(await refusal(503, '7200')).toMatchObject({ kind: 'AWAY', options: { retryAfterMs: 300_000 } });
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const dated = (await refusal(503, inAMinute)) as ProviderError;
    expect(dated.options.retryAfterMs).toBeGreaterThan(40_000);
    expect(dated.options.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await refusal(502)).toMatchObject({ kind: 'AWAY', options: {} });
    expect(((await refusal(502, 'soon')) as ProviderError).options.retryAfterMs).toBeUndefined();
    expect(await refusal(401, '5')).toMatchObject({ kind: 'UNAUTHORIZED', options: {} });
  });

  test("holds against the provider's own description, as do the stand-in's answers, where that is at hand", ({
    skip,
  }) => {
    const described = kind.describedBy();
    if (!described) return skip(`${kind.file} is not beside the project`);
    const seen = new Map<string, number>();
    const isNew = ({ method, path, status }: Exchange) => {
      const shape = `${method} ${path.replaceAll(/\d+/g, 'N')} ${status}`;
      seen.set(shape, (seen.get(shape) ?? 0) + 1);
      return seen.get(shape)! <= 5;
    };
    // What was refused was sent to be refused.
    const judged = exchanges
      .filter(isNew)
      .map((each) => (each.status >= 400 ? { ...each, sent: undefined } : each));
    expect([...new Set(judged.flatMap((exchange) => described.faults(exchange)))]).toEqual([]);
    const lines = new Set(exchanges.map(({ method, path }) => `${method} ${path.replaceAll(/\d+/g, 'N')}`));
    expect(lines.size).toBeGreaterThan(9);
    const [first] = exchanges.filter(({ method, status }) => method === 'POST' && status < 300);
    expect(described.faults({ ...first!, sent: { name: 1 }, answered: {} })).not.toEqual([]);
  });
});
