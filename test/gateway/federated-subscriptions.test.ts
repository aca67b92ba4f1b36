import { describe, expect, test } from 'vitest';

import { nextOf, open } from './support/event-streams.js';
import { caller, modes, startGateway } from './support/start-gateway.js';
import type { SubgraphServer } from './support/subgraph-server.js';

describe.each(modes)('federated subscriptions, subgraphs %s', (mode) => {
  test('an event carries fields of another subgraph, and its cursor', async () => {
    const running = await startGateway(mode);
    const stream = await open(
      running,
      'subscription { changed: instanceChanged { name score violations { rule } } }',
    );
    await expect.poll(() => running.world.changes.size).toBe(1);
    running.world.changes.push({ payload: 'i1', cursor: 'c1' });
    expect(await nextOf(stream)).toEqual({
      done: false,
      value: {
        data: { changed: { name: 'alpha', score: 90, violations: [{ rule: 'rule of i1' }] } },
        extensions: { cursor: 'c1' },
      },
    });
    await stream.return(undefined);
  });

  test('each event is answered with what is so then', async () => {
    const running = await startGateway(mode);
    const { world } = running;
    const stream = await open(running, 'subscription { instanceChanged { score } }');
    await expect.poll(() => world.changes.size).toBe(1);
    for (const score of [1, 2]) {
      world.scores.i1 = score;
      world.changes.push({ payload: 'i1' });
      expect(await nextOf(stream)).toEqual({ done: false, value: { data: { instanceChanged: { score } } } });
    }
    await stream.return(undefined);
  });

  test('unsubscribing closes the source although no event is due', async () => {
    const running = await startGateway(mode);
    const stream = await open(running, 'subscription { instanceChanged { id } }');
    await expect.poll(() => running.world.changes.size).toBe(1);
    const pending = stream.next();
    await stream.return(undefined);
    expect(await pending).toEqual({ done: true, value: undefined });
    await expect.poll(() => running.world.changes.size).toBe(0);
  });

  test('one subscriber that leaves does not disturb another', async () => {
    const running = await startGateway(mode);
    const query = 'subscription { instanceChanged { name score } }';
    const [first, second] = [await open(running, query), await open(running, query)];
    await expect.poll(() => running.world.changes.size).toBe(2);
    await first.return(undefined);
    await expect.poll(() => running.world.changes.size).toBe(1);
    running.world.changes.push({ payload: 'i2' });
    expect(await nextOf(second)).toMatchObject({
      value: { data: { instanceChanged: { name: 'beta', score: 70 } } },
    });
    await second.return(undefined);
  });

  test('the cursor to resume after reaches the subgraph', async () => {
    const running = await startGateway(mode);
    const stream = await open(running, 'subscription { instanceChanged { id } }', 'c7');
    await expect.poll(() => running.world.resumedAfter).toEqual(['c7']);
    await stream.return(undefined);
  });

  test('an event that fails hides its words and does not end the stream', async () => {
    const running = await startGateway(mode);
    const stream = await open(running, 'subscription { instanceChanged { id score } }');
    await expect.poll(() => running.world.changes.size).toBe(1);
    running.world.changes.push({ payload: 'broken' });
    expect(await nextOf(stream)).toEqual({
      done: false,
      value: {
        data: null,
        errors: [{ message: 'Internal error', path: ['instanceChanged'], extensions: { code: 'INTERNAL' } }],
      },
    });
    running.world.changes.push({ payload: 'i1' });
    expect(await nextOf(stream)).toMatchObject({ value: { data: { instanceChanged: { id: 'i1' } } } });
    await stream.return(undefined);
  });

  test('a subscription that the subgraph refuses says why', async () => {
    const { gateway } = await startGateway(mode);
    let result = await gateway.subscribe({ query: 'subscription { denied }', context: { ...caller } });
    if (Symbol.asyncIterator in result) result = (await result.next()).value!;
    expect(result.errors?.map((error) => error.toJSON())).toEqual([
      expect.objectContaining({ message: 'Not yours', extensions: { code: 'FORBIDDEN' } }),
    ]);
  });

  test('conditions on the root field are refused', async () => {
    const { gateway, world } = await startGateway(mode);
    for (const query of [
      'subscription ($on: Boolean!) { instanceChanged @include(if: $on) { id } }',
      'subscription ($on: Boolean!) { ...F } fragment F on Subscription { ... @skip(if: $on) { instanceChanged { id } } }',
    ]) {
      const result = await gateway.subscribe({ query, variables: { on: true }, context: { ...caller } });
      expect(JSON.parse(JSON.stringify(result))).toEqual({
        errors: [
          {
            message: expect.stringMatching(
              /^@(skip|include) can't be used on the root field of a subscription$/,
            ),
            extensions: { code: 'BAD_REQUEST' },
          },
        ],
      });
    }
    expect(world.contexts).toEqual([]);
  });
});

const endings: [string, (fleet: SubgraphServer) => void][] = [
  ['was cut', (fleet) => fleet.cut()],
  // Which graphql-ws takes for the end of everything.
  ['the subgraph closed over a message of somebody', (fleet) => fleet.close(1009)],
  ['the subgraph closed over an error of its own', (fleet) => fleet.close(4500)],
];

test.each(endings)(
  'a subscription over a connection that %s goes on after its last cursor',
  async (_, end) => {
    const running = await startGateway('over HTTP');
    const { world, servers } = running;
    const stream = await open(running, 'subscription { instanceChanged { id } }', 'c1');
    await expect.poll(() => world.changes.size).toBe(1);
    world.changes.push({ payload: 'i1', cursor: 'c2' });
    expect(await nextOf(stream)).toMatchObject({ value: { extensions: { cursor: 'c2' } } });

    end(servers.find(({ name }) => name === 'fleet')!);
    await expect.poll(() => world.resumedAfter, { timeout: 30_000 }).toEqual(['c1', 'c2']);
    await expect.poll(() => world.changes.size).toBe(1);
    world.changes.push({ payload: 'i2', cursor: 'c3' });
    expect(await nextOf(stream)).toMatchObject({
      value: { data: { instanceChanged: { id: 'i2' } }, extensions: { cursor: 'c3' } },
    });
    await stream.return(undefined);
  },
);

test('a subscription that is longer than a subgraph takes is refused alone', async () => {
  const running = await startGateway('over HTTP');
  const stream = await open(running, 'subscription { instanceChanged { id } }');
  await expect.poll(() => running.world.changes.size).toBe(1);
  const result = await running.gateway.subscribe({
    query: 'subscription ($id: ID) { instanceChanged(id: $id) { id } }',
    variables: { id: 'x'.repeat(5_000_000) },
    context: { ...caller },
  });
  if (!(Symbol.asyncIterator in result)) throw new Error(JSON.stringify(result));
  expect(await nextOf(result)).toMatchObject({
    value: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
  });
  running.world.changes.push({ payload: 'i2' });
  expect(await nextOf(stream)).toMatchObject({ value: { data: { instanceChanged: { id: 'i2' } } } });
  await stream.return(undefined);
});
