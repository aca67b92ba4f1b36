import { get, type IncomingMessage } from 'node:http';

import { Kind, visit, type DocumentNode } from 'graphql';
import { describe, expect, test } from 'vitest';

import { ApiError } from '#platform/errors.js';

import { boxesUpTo, startMachine, type RestMachine } from './support/rest-machine.js';

const ids = (boxes: unknown): string[] => (boxes as { id: string }[]).map(({ id }) => id);

describe('one page, when limit is given', () => {
  test('is a bare array with the length of the whole list and a link to the next page', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(3) } });
    const answer = await machine.send('/api/boxes?limit=2&colour=red&tags=a%26b%3E');
    expect(await answer.json()).toEqual([
      { id: 'box_1', name: 'box', colour: 'red' },
      { id: 'box_2', name: 'box', colour: 'red' },
    ]);
    expect(answer.headers.get('x-total-count')).toBe('3');
    expect(answer.headers.get('link')).toBe(
      '</api/boxes?limit=2&colour=red&tags=a%26b%3E&cursor=2>; rel="next"',
    );

    const last = await machine.send('/api/boxes?limit=2&colour=red&tags=a%26b%3E&cursor=2');
    expect(ids(await last.json())).toEqual(['box_3']);
    expect(last.headers.has('link')).toBe(false);
  });

  test('links lead through the whole list', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(7) } });
    const seen: string[] = [];
    let path: string | undefined = '/api/boxes?cursor=1&limit=2';
    while (path) {
      const answer = await machine.send(path);
      seen.push(...ids(await answer.json()));
      path = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(['box_2', 'box_3', 'box_4', 'box_5', 'box_6', 'box_7']);
  });
});

test('a list that GraphQL has whole is cut into pages in the same way', async () => {
  const things = Array.from({ length: 3 }, (_, at) => ({
    __typename: 'Box',
    id: `box_${at + 1}`,
    colour: 'RED',
  }));
  await using machine = await startMachine({ resolvers: { things } });
  const answer = await machine.send('/api/things?kind=box&limit=2');
  expect([ids(await answer.json()), answer.headers.get('x-total-count')]).toEqual([['box_1', 'box_2'], '3']);
  expect(answer.headers.get('link')).toBe('</api/things?kind=box&limit=2&cursor=2>; rel="next"');
  const rest = await machine.send('/api/things?kind=box&cursor=2');
  expect([ids(await rest.json()), rest.headers.get('link')]).toEqual([['box_3'], null]);
  expect((await machine.send('/api/things?kind=box&limit=0')).status).toBe(400);
  expect((await machine.send('/api/things?kind=box&cursor=x')).status).toBe(400);
});

describe('the whole list, without limit', () => {
  test('is one array fetched in pages of 500, counted once', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(1201) } });
    const answer = await machine.send('/api/boxes?cursor=1');
    expect(answer.headers.get('x-total-count')).toBe('1201');
    expect(answer.headers.has('link')).toBe(false);
    expect(ids(await answer.json())).toEqual(Array.from({ length: 1200 }, (_, at) => `box_${at + 2}`));
    expect(machine.operations.map(({ variables }) => variables)).toEqual([
      { first: 500, after: '1' },
      { first: 500, after: '501' },
      { first: 500, after: '1001' },
    ]);
    expect(machine.operations.map(({ document }) => asksForTotal(document))).toEqual([true, false, false]);
  });

  test('runs each page under a context of its own, so that what hangs on it dies with the page', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(1001) } });
    await (await machine.send('/api/boxes')).arrayBuffer();
    const contexts = machine.operations.map(({ context }) => context);
    expect(new Set(contexts).size).toBe(3);
    expect(new Set(contexts.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token']));
  });

  test('an empty list is an empty array', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(0) } });
    const answer = await machine.send('/api/boxes');
    expect([answer.headers.get('x-total-count'), await answer.json()]).toEqual(['0', []]);
  });

  test('HEAD has the headers and fetches one page only', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(1201) } });
    const answer = await machine.send('/api/boxes', { method: 'HEAD' });
    expect([answer.status, answer.headers.get('x-total-count')]).toEqual([200, '1201']);
    expect(machine.operations).toHaveLength(1);
  });

  test('one page is fetched while the client takes the one before, and no further one', async () => {
    // A page is far larger than what sockets hold, so a client that reads nothing stops the fetching: one page under
    // way to it, one that waits, and what the sockets hold of the one before.
    const pageBytes = 500 * 40_000;
    const boxes = boxesUpTo(2500, { name: 'x'.repeat(40_000) });
    await using machine = await startMachine({ resolvers: { boxes } });
    const answer = await open(machine, '/api/boxes');
    let received = 0;
    let ahead = 0;
    for await (const chunk of answer) {
      received += (chunk as Buffer).length;
      ahead = Math.max(ahead, machine.operations.length - Math.floor(received / pageBytes));
    }
    expect(received).toBeGreaterThan(5 * pageBytes);
    expect(machine.operations).toHaveLength(5);
    expect(ahead).toBeLessThanOrEqual(3);
  });

  test('stops fetching when the client goes away, and that is no error', async () => {
    const boxes = boxesUpTo(100_000, { name: 'x'.repeat(40_000) });
    await using machine = await startMachine({ resolvers: { boxes } });
    const answer = await open(machine, '/api/boxes');
    await new Promise((resolve) => answer.once('data', resolve));
    answer.destroy();
    const after = await settled(machine);
    expect(after).toBeLessThan(5);
    expect(machine.log).toEqual([]);
  });
});

describe('a list that fails', () => {
  test('on its first page is the error', async () => {
    await using machine = await startMachine({ resolvers: { boxes: boxesUpTo(3) } });
    const answer = await machine.send('/api/boxes?cursor=what');
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'This cursor is not one of ours' }]);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('on a later page breaks the connection, so that nobody takes a part for the whole', async () => {
    const boxes = boxesUpTo(1201);
    await using machine = await startMachine({
      resolvers: {
        boxes(window: { after?: string }) {
          if (window.after === '500') throw new ApiError('UNAVAILABLE', 'The database is away');
          return boxes(window);
        },
      },
    });
    const whole = machine.send('/api/boxes').then(async (answer) => answer.text());
    await expect(whole).rejects.toThrow(/fetch failed|terminated/);
    expect(machine.log).toMatchObject([
      { requestId: 'req-1', operation: 'ListBoxes', msg: 'REST answer failed' },
    ]);
  });

  test('by a cursor that does not move is not endless', async () => {
    const stuck = { nodes: [], pageInfo: { endCursor: 'same', hasNextPage: true }, totalCount: 1 };
    await using machine = await startMachine({ resolvers: { boxes: stuck } });
    const answer = await machine.send('/api/boxes');
    expect([answer.status, await answer.json()]).toEqual([500, { error: 'Internal server error' }]);
    expect(machine.operations).toHaveLength(2);
  });
});

async function open(machine: RestMachine, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(machine.url + path, { headers: { authorization: 'Bearer token' } }, resolve).on('error', reject);
  });
}

/** How many operations had run when no more were added over a round trip of another request. */
async function settled(machine: RestMachine): Promise<number> {
  let before = -1;
  while (before !== machine.operations.length) {
    before = machine.operations.length;
    await machine.send('/api/nothing');
  }
  return before;
}

function asksForTotal(document: DocumentNode): boolean {
  let found = false;
  visit(document, { [Kind.FIELD]: (node) => void (found ||= node.name.value === 'totalCount') });
  return found;
}
