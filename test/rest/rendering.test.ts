import { expect, test } from 'vitest';

import { boxesUpTo, startMachine } from './support/rest-machine.js';

test('enum words are lower case, times have whole seconds, everything else is as it is', async () => {
  const facts = { when: '2025-01-15T10:30:00.123Z', colour: 'RED' };
  await using machine = await startMachine({
    resolvers: {
      box: {
        id: 'BOX_1',
        name: 'RED',
        colour: 'LIGHT_BLUE',
        madeAt: '2025-01-15T10:30:00.999Z',
        openedAt: new Date('2025-01-15T10:30:00.001Z'),
        facts,
        maker: { name: 'Maker', colour: 'RED' },
        parts: [{ name: 'LID', colours: ['RED', null, 'LIGHT_BLUE'], brokenAt: '2025-01-15T12:30:00+02:00' }],
      },
    },
  });
  const answer = await machine.send('/api/boxes/box_1');
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await answer.json()).toEqual({
    id: 'BOX_1',
    name: 'RED',
    colour: 'light_blue',
    made_at: '2025-01-15T10:30:00Z',
    opened_at: '2025-01-15T10:30:00Z',
    facts,
    made_by: { name: 'Maker', favourite: 'red' },
    parts: [{ name: 'LID', colours: ['red', null, 'light_blue'], broken_at: '2025-01-15T10:30:00Z' }],
  });
});

test('paths in omitNull are left out when null, on every item of a list; other nulls stay', async () => {
  await using machine = await startMachine({
    resolvers: {
      box: {
        id: 'box_1',
        name: 'box',
        colour: 'RED',
        maker: { name: 'Maker' },
        parts: [
          { name: 'lid', colours: [] },
          { name: 'side', colours: [], brokenAt: '2025-01-15T10:30:00Z' },
        ],
      },
    },
  });
  expect(await (await machine.send('/api/boxes/box_1')).json()).toEqual({
    id: 'box_1',
    name: 'box',
    colour: 'red',
    made_at: null,
    facts: null,
    made_by: { name: 'Maker' },
    parts: [
      { name: 'lid', colours: [] },
      { name: 'side', colours: [], broken_at: '2025-01-15T10:30:00Z' },
    ],
  });
});

test('fields of an interface and of its types are rendered alike', async () => {
  const things = [
    { id: '1', colour: 'RED', madeAt: '2025-01-15T10:30:00.5Z' },
    { id: '2', colour: 'LIGHT_BLUE', bounces: true },
  ];
  await using machine = await startMachine({ resolvers: { things } });
  expect(await (await machine.send('/api/things?kind=any')).json()).toEqual([
    { __typename: 'Box', id: '1', colour: 'red', made_at: '2025-01-15T10:30:00Z' },
    { __typename: 'Ball', id: '2', colour: 'light_blue', bounces: true },
  ]);
});

test('a header is carried from beside the reply or out of it, and left away when null', async () => {
  await using machine = await startMachine({
    resolvers: { things: [], thingsNote: '110 - "stale"\r\nX: é' },
  });
  const noted = await machine.send('/api/things?kind=any');
  expect(noted.headers.get('x-note')).toBe('110 - "stale"??X: ?');
  expect(noted.headers.has('x')).toBe(false);

  const boxes = boxesUpTo(1);
  await using aged = await startMachine({ resolvers: { boxes: () => ({ ...boxes({}), ageSeconds: 12 }) } });
  expect((await aged.send('/api/boxes')).headers.get('age')).toBe('12');
  await using fresh = await startMachine({ resolvers: { boxes } });
  expect((await fresh.send('/api/boxes')).headers.has('age')).toBe(false);
});
