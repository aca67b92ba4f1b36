import { describe, expect, test } from 'vitest';

import { kept } from './support/log.js';
import { TestNode } from './support/node.js';

describe('an agent that is stopped', () => {
  test('tells the panel so, once, after its last beat', async () => {
    const node = await TestNode.create();
    await node.start();
    await node.step();
    await Promise.all([node.agent.stop(), node.agent.stop()]);
    expect(node.panel.departures).toEqual([{ authorization: 'Bearer cred_1', body: {} }]);
    await node.start();
    await node.step();
    await node.agent.stop();
    expect([node.panel.departures.length, node.panel.beats.length]).toEqual([2, 2]);
  });

  test('has nothing to tell where the panel has not heard of it, or has revoked it', async () => {
    const node = await TestNode.create();
    await node.start();
    await node.restart();
    node.panel.script('heartbeat', { status: 401, body: { error: 'The credential was revoked' } });
    await node.step();
    await node.agent.stop();
    expect(node.panel.departures).toEqual([]);
  });

  test('ends all the same where the panel does not hear it', async () => {
    const node = await TestNode.create({ stopGraceMs: 50 });
    await node.start();
    await node.step();
    node.agent = node.build({
      stopGraceMs: 50,
      fetch: async (input, init) => {
        if (!(input instanceof URL && input.pathname.endsWith('/departure'))) return fetch(input, init);
        return new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
        );
      },
    });
    await node.start();
    await node.step();
    await node.agent.stop();
    expect(node.events.at(-1)).toEqual({ type: 'stopped' });
  });
});

describe('a panel that is away', () => {
  test('is told of in full once, and once more when it is back, with how long it was away', async () => {
    const { lines, logger, messages } = kept();
    const node = await TestNode.create({ logger });
    await node.start();
    node.panel.always({ status: 503, body: { error: 'Unavailable' } });
    await node.steps(4);
    node.panel.always(undefined);
    await node.steps(3);
    const [enrolled, first, ...rest] = messages();
    expect([enrolled, first]).toEqual([
      'Enrolled',
      'Beat failed; readings are kept, an hour of them, and told when the panel is back',
    ]);
    expect(rest.filter((message) => message !== 'Beat failed')).toEqual([
      'The panel is back and takes beats again',
    ]);
    const back = lines.find(({ msg }) => msg.startsWith('The panel is back'));
    expect(back).toMatchObject({
      awaySeconds: expect.any(Number),
      replayed: expect.any(Number),
      waiting: 0,
    });
    expect(back?.['awaySeconds']).toBeGreaterThan(0);
  });

  test('is asked again within two intervals, however long it was away', async () => {
    const node = await TestNode.create();
    node.luck = 1;
    await node.start();
    node.panel.always({ status: 503, body: { error: 'Unavailable' } });
    const calls: number[] = [];
    for (let at = 0; at < 60; at += 1) {
      const before = node.panel.beats.length;
      const waited = await node.step();
      calls.push((node.panel.beats.length === before ? (calls.pop() ?? 0) : 0) + waited);
    }
    // Readings are taken in between; what is counted is from call to call.
    expect(Math.max(...calls)).toBeLessThanOrEqual(2 * 30_000 * 1.1);
  });
});

describe('an address that is no panel', () => {
  const strangers = [
    ['a page', { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>\n It works</html>' }],
    ['other JSON', { body: { hello: 'world' } }],
    ['a 404', { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' }],
    ['a 404 in JSON', { status: 404, body: { error: 'Not found' } }],
    ['a 403 without words', { status: 403, body: '' }],
    [
      'a 401 of a proxy',
      { status: 401, headers: { 'content-type': 'text/html' }, body: '<html>Who?</html>' },
    ],
  ] as const;

  test.for(strangers)('is named with what it answered: %s', async ([, answer]) => {
    const { lines, logger } = kept();
    const node = await TestNode.create({ logger });
    node.panel.script('enroll', answer);
    await node.start();
    const [event] = node.events;
    expect(event).toMatchObject({ isStranger: true });
    const status = 'status' in answer ? answer.status : 200;
    expect(event).toMatchObject({
      message: expect.stringContaining(`${node.panel.url}/api/agent/enroll answered HTTP ${status} (`),
    });
    expect(lines[0]).toMatchObject({
      level: 50,
      msg: 'What answers at this address is no panel; check the address',
    });
    // A node that has enrolled beats on, and says the same.
    await node.step();
    node.panel.script('heartbeat', answer);
    await node.step();
    expect(lines.at(-1)).toMatchObject({
      level: 40,
      msg: 'What answers at this address is no panel',
    });
    await node.step();
    expect(node.events.at(-1)).toMatchObject({ type: 'beat-accepted' });
  });

  test('how long to wait is believed of a panel, and of what stands before it for two intervals at most', async () => {
    const node = await TestNode.create();
    await node.start();
    await node.step();
    const headers = { 'retry-after': '3600', 'content-type': 'text/html' };
    const waits: (number | undefined)[] = [];
    for (const body of ['<html>Maintenance</html>', { error: 'Too many requests' }]) {
      node.panel.script('heartbeat', { status: 503, headers, body });
      await node.step();
      const failed = node.events.findLast(({ type }) => type === 'beat-failed');
      waits.push(failed?.type === 'beat-failed' ? failed.retryInMs : undefined);
      while (node.events.at(-1)?.type !== 'beat-accepted') await node.step();
    }
    expect(waits).toEqual([60_000 * 1.05, 3_600_000 * 1.05]);
  });

  test('a body that is too long for a proxy is sent in parts', async () => {
    const node = await TestNode.create();
    await node.start();
    await node.step();
    node.panel.always({ status: 503, body: { error: 'Unavailable' } });
    await node.steps(12);
    const tooLong = { status: 413, headers: { 'content-type': 'text/html' }, body: '<html>Too large</html>' };
    node.panel.always(undefined);
    node.panel.script('heartbeat', tooLong, tooLong);
    const before = node.panel.beats.length;
    while (node.panel.beats.length < before + 3) await node.step();
    const sizes = node.panel.beats.slice(before).map(({ body }) => (body['samples'] as unknown[]).length);
    expect(sizes[1]).toBeLessThan(sizes[0]! / 2);
    expect(sizes[2]).toBeLessThanOrEqual(sizes[1]!);
    expect(node.events.at(-1)).toMatchObject({ type: 'beat-accepted' });
  });

  test('a panel that refuses in its own words is none', async () => {
    const node = await TestNode.create();
    node.panel.script('enroll', { status: 409, body: { error: 'Plan limit reached' } });
    await node.start();
    expect(node.events).toEqual([
      {
        type: 'enrollment-refused',
        status: 409,
        message: 'HTTP 409: Plan limit reached',
        retryInMs: 900_000,
      },
    ]);
  });
});
