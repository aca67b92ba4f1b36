import { describe, expect, test } from 'vitest';

import { ApiError } from '#platform/errors.js';

import { endOf, nextOf, open } from './support/event-streams.js';
import { modes, startGateway } from './support/start-gateway.js';

/** Of a stream that waits less long. */
const quick = { readPatience: { nothing: 2_500, part: 1_500, pause: 20, longestPause: 100 } };

const unread = { code: 'UNAVAILABLE', reason: 'EVENT_UNREAD', retryAfterSeconds: 5 };

describe.each(modes)('events that cannot be read, subgraphs %s', (mode) => {
  test.each(['fleet', 'governance'] as const)(
    'an event whose part of %s cannot be read for now is told whole, once it can be',
    async (name) => {
      const running = await startGateway(mode);
      const { world } = running;
      const stream = await open(running, 'subscription { instanceChanged { name score } }');
      await expect.poll(() => world.changes.size).toBe(1);
      world.away.add(name);
      world.changes.push({ payload: 'i1', cursor: 'c1' });
      const told = nextOf(stream);
      await expect
        .poll(() => world.readings.filter(({ of }) => of === name).length, { timeout: 10_000 })
        .toBeGreaterThan(1);
      world.away.clear();
      expect(await told).toEqual({
        done: false,
        value: { data: { instanceChanged: { name: 'alpha', score: 90 } }, extensions: { cursor: 'c1' } },
      });
      await stream.return(undefined);
    },
    30_000,
  );

  test.each(['fleet', 'governance'] as const)(
    'while %s is away nothing is read for a subscriber that has left',
    async (name) => {
      const running = await startGateway(mode);
      const { world } = running;
      const query = 'subscription { instanceChanged { name score } }';
      const [leaves, stays] = [
        await open(running, query, undefined, 'leaves'),
        await open(running, query, undefined, 'stays'),
      ];
      const readingsFor = (id: string) =>
        world.readings.filter(({ of, requestId }) => of === name && requestId === id).length;
      await expect.poll(() => world.changes.size).toBe(2);
      world.away.add(name);
      world.changes.push({ payload: 'i1', cursor: 'c1' });
      const [, told] = [nextOf(leaves), nextOf(stays)];
      for (const id of ['leaves', 'stays'])
        await expect.poll(() => readingsFor(id), { timeout: 10_000 }).toBeGreaterThan(0);
      await leaves.return(undefined);
      await expect.poll(() => world.changes.size).toBe(1);
      const before = { left: readingsFor('leaves'), stayed: readingsFor('stays') };
      await expect
        .poll(() => readingsFor('stays'), { timeout: 15_000 })
        .toBeGreaterThanOrEqual(before.stayed + 2);
      expect(readingsFor('leaves')).toBe(before.left);
      world.away.clear();
      expect(await told).toMatchObject({ value: { data: { instanceChanged: { name: 'alpha' } } } });
      await stays.return(undefined);
    },
    40_000,
  );

  test('once a part was waited for in vain, the events behind are told at once, until one is read whole', async () => {
    const running = await startGateway(mode, quick);
    const { world } = running;
    const stream = await open(running, 'subscription { instanceChanged { name risk } }');
    await expect.poll(() => world.changes.size).toBe(1);
    const readings = (id: string) =>
      world.readings.filter((reading) => reading.of === 'governance' && reading.id === id).length;
    world.away.add('governance');
    for (const payload of ['i1', 'i2']) world.changes.push({ payload, cursor: payload });
    for (const [name, cursor] of [
      ['alpha', 'i1'],
      ['beta', 'i2'],
    ]) {
      expect(await nextOf(stream)).toMatchObject({
        value: {
          data: { instanceChanged: { name, risk: null } },
          errors: [{ extensions: { code: 'UNAVAILABLE' } }],
          extensions: { cursor },
        },
      });
    }
    expect(readings('i1')).toBeGreaterThan(1);
    expect(readings('i2')).toBe(1);

    world.away.clear();
    world.changes.push({ payload: 'i1' });
    expect(await nextOf(stream)).toMatchObject({ value: { data: { instanceChanged: { risk: 90 } } } });
    world.away.add('governance');
    world.changes.push({ payload: 'i2' });
    const told = nextOf(stream);
    await expect.poll(() => readings('i2')).toBeGreaterThan(2);
    world.away.clear();
    expect(await told).toMatchObject({ value: { data: { instanceChanged: { risk: 70 } } } });
    await stream.return(undefined);
  });

  test.each(['fleet', 'governance'] as const)(
    'an event that %s can never read is told with its error and its cursor, and those behind it as well',
    async (name) => {
      const running = await startGateway(mode, quick);
      const { world } = running;
      const stream = await open(running, 'subscription { instanceChanged { name score } }');
      await expect.poll(() => world.changes.size).toBe(1);
      world.endless.set(name, 'i1');
      for (const payload of ['i1', 'i2']) world.changes.push({ payload, cursor: payload });
      expect(await nextOf(stream)).toEqual({
        done: false,
        value: {
          data: null,
          errors: [
            expect.objectContaining({
              path: expect.arrayContaining(['instanceChanged']),
              extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 5 },
            }),
          ],
          extensions: { cursor: 'i1' },
        },
      });
      expect(await nextOf(stream)).toEqual({
        done: false,
        value: { data: { instanceChanged: { name: 'beta', score: 70 } }, extensions: { cursor: 'i2' } },
      });
      await stream.return(undefined);
    },
  );

  test.each(['fleet', 'governance'] as const)(
    'an event of which nothing can be told while the database of %s is away ends the stream, to be resumed before it',
    async (name) => {
      const running = await startGateway(mode, quick);
      const { world } = running;
      const stream = await open(running, 'subscription { instanceChanged { name score } }');
      await expect.poll(() => world.changes.size).toBe(1);
      world.away.add(name);
      world.changes.push({ payload: 'i1', cursor: 'c1' });
      expect(await endOf(stream)).toEqual(unread);
    },
  );

  test('an API key is exchanged for each try: a token that ends while an event waits keeps nothing from it', async () => {
    let token = 'Bearer 1';
    const running = await startGateway(mode, {
      ...quick,
      exchange: async (context) => ({ ...context, authorization: token }),
    });
    const { world } = running;
    world.token = token;
    const stream = await open(running, 'subscription { instanceChanged { name score } }');
    await expect.poll(() => world.changes.size).toBe(1);
    world.away.add('governance');
    world.changes.push({ payload: 'i1', cursor: 'c1' });
    const told = nextOf(stream);
    await expect.poll(() => world.readings.filter(({ of }) => of === 'governance').length).toBeGreaterThan(1);
    world.token = token = 'Bearer 2';
    world.away.clear();
    expect(await told).toEqual({
      done: false,
      value: { data: { instanceChanged: { name: 'alpha', score: 90 } }, extensions: { cursor: 'c1' } },
    });
    await stream.return(undefined);
  });

  test('an event waits while API keys cannot be exchanged, and one that waits too long ends the stream', async () => {
    let isAway = false;
    let tries = 0;
    const running = await startGateway(mode, {
      ...quick,
      exchange: async (context) => {
        tries += 1;
        if (isAway) throw new ApiError('UNAVAILABLE', 'API keys can not be checked for the moment');
        return context;
      },
    });
    const { world } = running;
    const stream = await open(running, 'subscription { instanceChanged { name score } }');
    await expect.poll(() => world.changes.size).toBe(1);
    isAway = true;
    tries = 0;
    world.changes.push({ payload: 'i1', cursor: 'c1' });
    const told = nextOf(stream);
    await expect.poll(() => tries).toBeGreaterThan(1);
    isAway = false;
    expect(await told).toEqual({
      done: false,
      value: { data: { instanceChanged: { name: 'alpha', score: 90 } }, extensions: { cursor: 'c1' } },
    });
    isAway = true;
    world.changes.push({ payload: 'i2', cursor: 'c2' });
    expect(await endOf(stream)).toEqual(unread);
  });
});
