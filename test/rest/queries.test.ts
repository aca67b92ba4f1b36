import { describe, expect, test } from 'vitest';

import { boxesUpTo, startMachine, type RestMachine } from './support/rest-machine.js';

async function listed(): Promise<RestMachine> {
  return startMachine({ resolvers: { boxes: boxesUpTo(1), things: [] } });
}

describe('query parameters', () => {
  test('are read by the declared type of their variable', async () => {
    await using machine = await listed();
    await machine.send('/api/boxes?colour=light_blue&heavy=false&min_weight=-1.5&tags=a,b&limit=7&cursor=0');
    expect(machine.operations[0]?.variables).toEqual({
      colour: 'LIGHT_BLUE',
      heavy: false,
      min_weight: -1.5,
      tags: ['a', 'b'],
      first: 7,
      after: '0',
    });
  });

  test('that are absent leave their variables unset', async () => {
    await using machine = await listed();
    await machine.send('/api/boxes?limit=7');
    expect(machine.operations[0]?.variables).toEqual({ first: 7 });
  });

  test('with a value their type does not know are a 400 that names each', async () => {
    await using machine = await listed();
    const answer = await machine.send('/api/boxes?colour=RED&heavy=1&min_weight=1e3&limit=501');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: [
        'colour must be one of red, light_blue',
        'heavy must be true or false',
        'min_weight must be a number',
        'limit must be an integer from 1 to 500',
      ].join('; '),
    });
    expect(machine.operations).toEqual([]);
  });

  test('limit is an integer from 1 to 500', async () => {
    await using machine = await listed();
    for (const limit of ['', '0', '-1', '1.5', '501', '1e2', 'x', '9999999999']) {
      expect([limit, (await machine.send(`/api/boxes?limit=${limit}`)).status]).toEqual([limit, 400]);
    }
    for (const limit of ['1', '500'])
      expect((await machine.send(`/api/boxes?limit=${limit}`)).status).toBe(200);
  });

  test('given twice, or unknown to the route, are a 400 that names each', async () => {
    await using machine = await listed();
    const twice = await machine.send('/api/boxes?colour=red&colour=red');
    expect([twice.status, await twice.json()]).toEqual([400, { error: 'colour must be given once' }]);
    const unknown = await machine.send('/api/boxes?_=1700000000&_=2&__proto__=x&limit=0');
    const rule = 'is not a known parameter; there are colour, heavy, min_weight, tags, limit, cursor';
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      { error: `_ ${rule}; __proto__ ${rule}; limit must be an integer from 1 to 500` },
    ]);
  });

  test('that the operation cannot do without are a 400 when they are missing', async () => {
    await using machine = await listed();
    const answer = await machine.send('/api/things');
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'kind is required' }]);
  });

  test('with text that no database can hold are a 400', async () => {
    await using machine = await listed();
    const answer = await machine.send('/api/things?kind=a%00b');
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'kind must be well-formed text without null characters' },
    ]);
  });
});
