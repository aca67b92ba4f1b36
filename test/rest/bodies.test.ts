import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { startMachine, type Init, type RestMachine } from './support/rest-machine.js';

const box = { id: 'box_1', name: 'box' };

async function packed(): Promise<RestMachine> {
  return startMachine({ resolvers: { packBox: box, changeBox: box, sealBoxes: true } });
}

async function refused(machine: RestMachine, body: unknown, init?: Init): Promise<unknown> {
  const answer = await machine.post('/api/boxes', body, init);
  expect(machine.operations).toEqual([]);
  return [answer.status, await answer.json()];
}

describe('the body as a whole', () => {
  test('over 1 MiB is a 413, also when it only grows that long by decompression', async () => {
    await using machine = await packed();
    const long = JSON.stringify({ name: 'x'.repeat(1024 * 1024) });
    const tooLong = [413, { error: 'The body is larger than 1 MiB' }];
    expect(await refused(machine, long)).toEqual(tooLong);
    const zipped = { body: gzipSync(long), headers: { 'content-encoding': 'gzip' } };
    expect(await refused(machine, '', zipped)).toEqual(tooLong);
  });

  test('of another type than JSON is a 415', async () => {
    await using machine = await packed();
    const wrongType = [415, { error: 'Content-Type must be application/json' }];
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json-seq', '']) {
      expect(await refused(machine, '{}', { headers: { 'content-type': type } })).toEqual(wrongType);
    }
  });

  test('a charset after the type does not matter', async () => {
    await using machine = await packed();
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await machine.post('/api/boxes', { name: 'box' }, { headers })).status).toBe(201);
  });

  test('not JSON, not UTF-8, not an object: 400', async () => {
    await using machine = await packed();
    expect(await refused(machine, '{"name":')).toEqual([400, { error: 'The body is not JSON' }]);
    const latin1 = { body: Buffer.from('{"name":"é"}', 'latin1') };
    expect(await refused(machine, '', latin1)).toEqual([400, { error: 'The body is not UTF-8' }]);
    for (const body of ['[]', 'null', '"name"', '7']) {
      expect(await refused(machine, body)).toEqual([400, { error: 'The body must be a JSON object' }]);
    }
  });

  test('nested without end, or with text that no database can hold: 400', async () => {
    await using machine = await packed();
    const deep = `{"name":"box","facts":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`;
    expect(await refused(machine, deep)).toEqual([
      400,
      { error: `facts.a${'.0'.repeat(36)}.... is nested deeper than 64 levels` },
    ]);
    for (const text of ['a\0b', '\ud800']) {
      const error = 'facts.a must be well-formed text without null characters';
      expect(await refused(machine, { name: 'box', facts: { a: text } })).toEqual([400, { error }]);
    }
  });

  test('absent or empty is an empty object, whatever its type', async () => {
    await using machine = await packed();
    const answer = await machine.send('/api/boxes/box_1', {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer.status).toBe(200);
    expect(machine.operations[0]?.variables).toEqual({ id: 'box_1', input: {} });
  });

  test('on a route that takes none, an empty object is fine and a field is unknown', async () => {
    await using machine = await packed();
    expect((await machine.post('/api/boxes/seal', {})).status).toBe(202);
    const answer = await machine.post('/api/boxes/seal', { hard: true });
    expect([answer.status, await answer.json()]).toEqual([
      422,
      { error: 'Validation failed', details: { hard: '"hard" is not a known field' } },
    ]);
  });
});

describe('the fields of a body', () => {
  test('snake_case becomes the names of the input type, and words of enums upper case', async () => {
    await using machine = await packed();
    const facts = { some_key: { Other_Key: 'RED', list: [{ max_uses: 1 }] } };
    await machine.post('/api/boxes', {
      name: 'box',
      max_uses: null,
      colour: 'light_blue',
      open_at: '2025-01-15T10:30:00Z',
      tags: ['a'],
      facts,
      parts: [{ name: 'lid', colour: 'red', net_rx_bytes: 1.5, parts: [] }],
    });
    expect(machine.operations[0]?.variables).toEqual({
      input: {
        name: 'box',
        maxUses: null,
        colour: 'LIGHT_BLUE',
        openAt: '2025-01-15T10:30:00Z',
        tags: ['a'],
        facts,
        parts: [{ name: 'lid', colour: 'RED', netRxBytes: 1.5, parts: [] }],
      },
    });
  });

  test('wrong JSON types are a 400 that names every one of them', async () => {
    await using machine = await packed();
    const body = {
      name: 7,
      max_uses: 1.5,
      weight: '3',
      colour: 1,
      fragile: 'yes',
      open_at: 0,
      tags: 'a',
      facts: [],
      parts: [{ name: 'lid', colour: 'red', net_rx_bytes: true }, 'lid'],
    };
    expect(await refused(machine, body)).toEqual([
      400,
      {
        error: [
          'name must be a string',
          'max_uses must be an integer',
          'weight must be a number',
          'colour must be a string',
          'fragile must be true or false',
          'open_at must be a string',
          'tags must be an array',
          'facts must be an object',
          'parts.0.net_rx_bytes must be a number',
          'parts.1 must be an object',
        ].join('; '),
      },
    ]);
    expect(await refused(machine, '{"name":"box","weight":1e999}')).toEqual([
      400,
      { error: 'weight must be a number' },
    ]);
  });

  test('missing, unknown and rule-breaking fields are a 422 that names every one as it was sent', async () => {
    await using machine = await packed();
    const body = {
      colour: 'blue',
      maxUses: 1,
      max_uses: 2 ** 31,
      colr: 'red',
      open_at: '2025-02-30T00:00:00Z',
      tags: ['a', null],
      parts: [{ colour: 'RED', name: null }],
    };
    expect(await refused(machine, body)).toEqual([
      422,
      {
        error: 'Validation failed',
        details: {
          name: 'Name is required',
          colour: 'Colour must be one of red, light_blue',
          maxUses: '"maxUses" is not a known field; did you mean max_uses?',
          max_uses: 'Max uses must be between -2147483648 and 2147483647',
          colr: '"colr" is not a known field',
          open_at: 'Open at must be a time as in 2025-01-15T10:30:00Z',
          'tags.1': 'tags.1 must not be null',
          'parts.0.colour': 'Colour must be one of red, light_blue',
          'parts.0.name': 'Name is required',
        },
      },
    ]);
  });

  test('an input that takes one of several fields takes exactly one', async () => {
    await using machine = await packed();
    for (const lid of [{}, { hinge: 'left', latch_name: 'top' }]) {
      expect(await refused(machine, { name: 'box', lid })).toEqual([
        422,
        { error: 'Validation failed', details: { lid: 'Lid must have exactly one of hinge, latch_name' } },
      ]);
    }
    await machine.post('/api/boxes', { name: 'box', lid: { latch_name: 'top' } });
    expect(machine.operations[0]?.variables).toEqual({ input: { name: 'box', lid: { latchName: 'top' } } });
  });

  test('names that JavaScript treats specially are fields like any other', async () => {
    await using machine = await packed();
    expect(
      await refused(
        machine,
        '{"name":"box","__proto__":{"name":"x"},"constructor":1,"toString":1,"hasOwnProperty":2}',
      ),
    ).toEqual([
      422,
      {
        error: 'Validation failed',
        details: Object.fromEntries(
          ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) => [
            name,
            `"${name}" is not a known field`,
          ]),
        ),
      },
    ]);
    expect(await refused(machine, '{"__proto__":{"name":"box"}}')).toMatchObject([
      422,
      { details: { name: 'Name is required' } },
    ]);
    await machine.post('/api/boxes', '{"name":"box","facts":{"__proto__":1}}');
    expect(JSON.stringify(machine.operations[0]?.variables.input)).toBe(
      '{"name":"box","facts":{"__proto__":1}}',
    );
  });

  test('a field given twice has its last value, as JSON.parse has it', async () => {
    await using machine = await packed();
    await machine.post('/api/boxes', '{"name":"first","name":"last"}');
    expect(machine.operations[0]?.variables).toEqual({ input: { name: 'last' } });
  });

  test('a body of nothing but faults does not make an answer longer than itself', async () => {
    await using machine = await packed();
    const body = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`f${at}`, 0]));
    const [, answer] = (await refused(machine, body)) as [number, { details: object }];
    expect(Object.keys(answer.details)).toHaveLength(100);
  });
});
