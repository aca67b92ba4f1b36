import { request } from 'node:http';

import { describe, expect, test } from 'vitest';

import { ApiError } from '#platform/errors.js';
import { silentLogger } from '#platform/logger.js';
import { packageRoot } from '#platform/package-root.js';
import { ok, route } from '#rest-compat/route.js';
import { createRestRouter } from '#rest-compat/router.js';

import { boxSchema } from './support/box-schema.js';
import { deferred } from './support/deferred.js';
import { startMachine, type Init } from './support/rest-machine.js';

const box = { id: 'box_1', name: 'box', colour: 'RED' };

describe('finding the row', () => {
  test('a path that is in no row is a 404 that says so in JSON', async () => {
    await using machine = await startMachine();
    for (const path of [
      '/api',
      '/api/',
      '/api/nothing',
      '/api/boxes/',
      '/api/boxes/box_1/lid',
      '/api/Boxes',
    ]) {
      const answer = await machine.send(path);
      expect([path, answer.status, await answer.json()]).toEqual([path, 404, { error: 'Not found' }]);
    }
    expect(machine.operations).toEqual([]);
  });

  test('a path outside /api is left to whoever comes next', async () => {
    await using machine = await startMachine();
    for (const path of ['/', '/apis', '/graphql']) {
      expect(await (await machine.send(path)).text()).toBe('beyond the REST router');
    }
  });

  test('another method on a known path is a 405 that allows what the table has', async () => {
    await using machine = await startMachine();
    const answer = await machine.send('/api/boxes/box_1', { method: 'PATCH' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, PUT, DELETE, HEAD, OPTIONS');
    expect(await answer.json()).toEqual({ error: 'Method not allowed' });
  });

  test('OPTIONS answers 204 with the methods of the path', async () => {
    await using machine = await startMachine();
    const answer = await machine.send('/api/boxes/seal', { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
  });

  test('HEAD runs the GET row and leaves the body out', async () => {
    await using machine = await startMachine({ resolvers: { box } });
    const answer = await machine.send('/api/boxes/box_1', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await answer.text()).toBe('');
    expect((await machine.send('/api/boxes/seal', { method: 'HEAD' })).status).toBe(405);
  });

  test('a path parameter reaches the operation decoded, an encoded slash included', async () => {
    await using machine = await startMachine({ resolvers: { box } });
    await machine.send('/api/boxes/a%2Fb%20c');
    expect(machine.operations[0]?.variables).toEqual({ id: 'a/b c' });
  });

  test('a path that is not well percent-encoded, or that no database could hold, is a 400', async () => {
    await using machine = await startMachine();
    for (const path of ['/api/boxes/%zz', '/api/boxes/%E0%A4', '/api/boxes/a%00b']) {
      const answer = await machine.send(path);
      expect([path, answer.status]).toEqual([path, 400]);
      expect(await answer.json()).toEqual({ error: expect.any(String) });
    }
    expect(machine.operations).toEqual([]);
  });

  test('no answer may be cached', async () => {
    await using machine = await startMachine({ resolvers: { box } });
    for (const path of ['/api/boxes/box_1', '/api/nothing']) {
      expect((await machine.send(path)).headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('the reply verbs', () => {
  test('created is 201, accepted 202, noContent 204 without a body', async () => {
    await using machine = await startMachine({ resolvers: { packBox: box, sealBoxes: true, dropBox: box } });
    const made = await machine.post('/api/boxes', { name: 'box' });
    expect([made.status, await made.json()]).toEqual([201, { id: 'box_1', name: 'box' }]);
    const sealed = await machine.send('/api/boxes/seal', { method: 'POST' });
    expect([sealed.status, await sealed.json()]).toEqual([202, true]);
    const dropped = await machine.send('/api/boxes/box_1', { method: 'DELETE' });
    expect([dropped.status, await dropped.text()]).toEqual([204, '']);
  });
});

describe('who may ask', () => {
  test('without an Authorization header a row that is not public runs nothing', async () => {
    await using machine = await startMachine();
    const answer = await fetch(`${machine.url}/api/boxes`, { method: 'POST', body: 'not even JSON' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.json()).toEqual({ error: 'Authentication required' });
    expect(machine.operations).toEqual([]);
  });

  test('a token that is no good is told as such, but not where other secrets are judged', async () => {
    const refuse = (): never => {
      throw new ApiError('UNAUTHENTICATED', 'The token has ended');
    };
    await using machine = await startMachine({ resolvers: { box: refuse, exchangeCode: refuse } });
    const challenge = async (path: string, init?: Init) =>
      (await machine.send(path, init)).headers.get('www-authenticate');
    expect(await challenge('/api/boxes/1')).toBe('Bearer error="invalid_token"');
    expect(await challenge('/api/boxes/1', { headers: { authorization: 'Basic eA==' } })).toBe('Bearer');
    const exchange = {
      method: 'POST',
      body: 'grant_type=x&code=c',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
    expect(await challenge('/api/token', exchange)).toBe('Bearer');
  });

  test('who has a bad token is told of that and not of the faults in the body', async () => {
    const asked: unknown[] = [];
    await using machine = await startMachine({
      async authenticate(context) {
        asked.push(context.authorization);
        throw new ApiError('UNAUTHENTICATED', 'The token has expired');
      },
    });
    const answer = await machine.post('/api/boxes', {});
    expect([answer.status, await answer.json()]).toEqual([401, { error: 'The token has expired' }]);
    expect(asked).toEqual(['Bearer token']);
  });
});

test('a table that does not fit its documents or the schema stops the start', () => {
  const start =
    (document: string, options: object, path = '/api/x'): (() => unknown) =>
    () =>
      createRestRouter({
        schema: boxSchema,
        logger: silentLogger,
        execute: async () => ({}),
        operationsFolder: `${packageRoot}/test/rest/support/operations`,
        routes: [route('GET', path, document, { reply: ok, ...options })],
      });
  expect(start('boxes/GetBox', {})).toThrow('nothing fills $id');
  expect(start('boxes/GetBox', {}, '/api/x/:name')).toThrow('no variable $name');
  expect(start('boxes/GetBox', { omitNull: ['lid'] }, '/api/x/:id')).toThrow('does not select lid');
  expect(start('boxes/GetLid', {})).toThrow('GetLid.graphql');
});

test('a client that goes away is no error', async () => {
  const arrived = deferred();
  const release = deferred();
  await using machine = await startMachine({
    execute: async () => {
      arrived.resolve();
      await release.promise;
      throw new Error('too late');
    },
  });
  const gone = deferred();
  const call = request(`${machine.url}/api/boxes/box_1`, { headers: { authorization: 'Bearer token' } });
  call.on('error', () => undefined).on('close', () => gone.resolve());
  call.end();
  await arrived.promise;
  call.destroy();
  await gone.promise;
  // Another round trip, so that the server has seen the connection close.
  await machine.send('/api/nothing');
  release.resolve();
  await machine.send('/api/nothing');
  expect(machine.log).toEqual([]);
});
