import { describe, expect, test } from 'vitest';

import type { startLoopback } from './support/loopback.js';
import { failure, outboundWith, serve, serveText } from './support/outbound.js';

const ok = serveText('ok');

describe('redirects', () => {
  const redirect =
    (status: number, location: string | ((path: string) => string)): Parameters<typeof startLoopback>[0] =>
    (request, response) =>
      void response
        .writeHead(status, {
          location: typeof location === 'string' ? location : location(request.url ?? ''),
        })
        .end('moved');

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://0xa9fea9fe/',
    'http://metadata.internal/',
    '//127.0.0.2/',
    'http://127.0.0.1:22/',
  ])('to %s are refused', async (location) => {
    const server = await serve(redirect(302, location));
    const resolve = async (host: string) => [host === 'hooks.test' ? '127.0.0.1' : '169.254.169.254'];
    const outbound = outboundWith({ resolve });
    expect(await failure(outbound.fetch(`http://hooks.test:${server.port}/`))).toMatchObject({
      reason: 'TARGET_REFUSED',
    });
  });

  test.each(['file:///etc/passwd', 'http://user:secret@hooks.test:8080/', 'http://'])(
    'to %s are refused as no address of ours',
    async (location) => {
      const server = await serve(redirect(302, location));
      expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toMatchObject({
        reason: 'BAD_URL',
      });
    },
  );

  test('are followed a given number of times, relative ones too', async () => {
    const server = await serve((request, response) => {
      const step = Number(request.url?.slice(1));
      if (step === 0) response.end('there');
      else response.writeHead(302, { location: `${step - 1}` }).end();
    });
    const outbound = outboundWith({ maxRedirects: 2 });
    const answer = await outbound.fetch(`http://hooks.test:${server.port}/2`);
    expect([answer.text(), answer.url]).toEqual(['there', `http://hooks.test:${server.port}/0`]);
    expect(await failure(outbound.fetch(`http://hooks.test:${server.port}/3`))).toMatchObject({
      reason: 'TOO_MANY_REDIRECTS',
    });
    const unfollowed = await outbound.fetch(`http://hooks.test:${server.port}/2`, { maxRedirects: 0 });
    expect([unfollowed.status, unfollowed.headers.get('location')]).toEqual([302, '1']);
  });

  test('from https to http are refused', async () => {
    const plain = await serve(ok);
    const secure = await serve(redirect(307, `http://plain.test:${plain.port}/`), { isSecure: true });
    expect(await failure(outboundWith().fetch(`https://secure.test:${secure.port}/`))).toMatchObject({
      reason: 'TARGET_REFUSED',
    });
    expect(plain.requests).toEqual([]);
  });

  test('to another origin carry no secret, to the same one they do', async () => {
    const other = await serve(ok);
    const server = await serve(
      redirect(307, (path) => (path === '/out' ? `http://other.test:${other.port}/` : '/out')),
    );
    await outboundWith().fetch(`http://hooks.test:${server.port}/in`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer x',
        cookie: 'x',
        'x-api-key': 'x',
        accept: 'text/plain',
        'content-type': 'a/b',
      },
      body: 'payload',
    });
    expect(server.requests.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([
      ['/in', 'x'],
      ['/out', 'x'],
    ]);
    const [arrived] = other.requests;
    expect(arrived).toMatchObject({
      method: 'POST',
      body: 'payload',
      headers: { accept: 'text/plain', 'content-type': 'a/b' },
    });
    for (const name of ['authorization', 'cookie', 'x-api-key'])
      expect(arrived?.headers).not.toHaveProperty(name);
  });

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'payload'],
    [308, 'POST', 'payload'],
  ])('with %i make a POST a %s', async (status, method, body) => {
    const server = await serve((request, response) => {
      if (request.url === '/to') response.end();
      else response.writeHead(status, { location: '/to' }).end();
    });
    await outboundWith().fetch(`http://hooks.test:${server.port}/`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'payload',
    });
    const arrived = server.requests[1];
    expect([arrived?.method, arrived?.body, arrived?.headers['content-type']]).toEqual([
      method,
      body,
      method === 'GET' ? undefined : 'text/plain',
    ]);
  });
});
