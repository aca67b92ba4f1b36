import { brotliCompressSync, gzipSync } from 'node:zlib';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { secureRsaTest } from './support/certificate.js';
import { startLoopback } from './support/loopback.js';
import { failure, outboundWith, serve, serveText } from './support/outbound.js';

const ok = serveText('ok');

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a request', () => {
  test('brings method, headers, body and name there, and status, headers and body back', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('naïve');
    });
    const answer = await outboundWith().fetch(`http://hooks.test:${server.port}/in?x=1`, {
      method: 'POST',
      headers: {
        'webhook-id': 'w1',
        host: 'elsewhere.test',
        'content-length': '1',
        'proxy-authorization': 'x',
      },
      body: '{"é":1}',
    });
    expect([
      answer.status,
      answer.text(),
      answer.headers.get('x-answer'),
      answer.headers.getSetCookie(),
    ]).toEqual([201, 'naïve', 'yes', ['a=1', 'b=2']]);
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/in?x=1',
        body: '{"é":1}',
        headers: {
          host: `hooks.test:${server.port}`,
          'webhook-id': 'w1',
          'content-length': '8',
          'user-agent': 'quazzar-control-panel',
        },
      },
    ]);
    expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('keeps the name for TLS while it goes to the address that was checked', async () => {
    const server = await serve(ok, { isSecure: true });
    expect((await outboundWith().fetch(`https://secure.test:${server.port}/`)).text()).toBe('ok');
    const stranger = outboundWith().fetch(`https://stranger.test:${server.port}/`);
    expect(await failure(stranger)).toEqual({
      reason: 'UNREACHABLE',
      message: `stranger.test:${server.port} could not be reached`,
    });
  });

  test('takes part in no key exchange that the other end could make as dear as it likes', async () => {
    const outcomeOf = async (cipher: string) => {
      const ciphers = `${cipher}-RSA-AES128-GCM-SHA256`;
      const tls = { ...secureRsaTest, ciphers, dhparam: 'auto', maxVersion: 'TLSv1.2' } as const;
      const server = await serve(ok, { isSecure: true, tls });
      const outbound = outboundWith({ tls: { ca: secureRsaTest.cert } });
      return failure(outbound.fetch(`https://secure.test:${server.port}/`)).catch(() => 'answered');
    };
    expect(await outcomeOf('ECDHE')).toBe('answered');
    expect(await outcomeOf('DHE')).toMatchObject({ reason: 'UNREACHABLE' });
  });

  test('takes no proxy from the environment', async () => {
    const [server, proxy] = [await serve(ok), await serve(serveText('proxied'))];
    for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY'])
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    expect((await outboundWith().fetch(`http://hooks.test:${server.port}/`)).text()).toBe('ok');
    expect(proxy.requests).toEqual([]);
  });

  test('that its caller gives up ends with the reason of its caller', async () => {
    const server = await serve(() => undefined);
    const giving = new AbortController();
    const pending = outboundWith().fetch(`http://hooks.test:${server.port}/`, { signal: giving.signal });
    giving.abort(new Error('no longer wanted'));
    await expect(pending).rejects.toThrow('no longer wanted');
  });
});

describe('rebinding', () => {
  test('a name that is public when checked and private when used is refused', async () => {
    const server = await serve(ok);
    const answers = [['93.184.216.34'], ['127.0.0.1']];
    const outbound = outboundWith({ allowPrivateTargets: [], resolve: async () => answers.shift() ?? [] });
    const url = `http://rebind.test:${server.port}/`;
    expect((await outbound.checkTarget(url)).addresses).toEqual(['93.184.216.34']);
    expect(await failure(outbound.fetch(url))).toEqual({
      reason: 'TARGET_REFUSED',
      message: 'rebind.test is not a public address',
    });
    expect(server.requests).toEqual([]);
  });

  test('a connection goes to the address that was checked, whatever the name says next', async () => {
    const checked = await serve(serveText('checked'), { host: '127.0.0.2' });
    const other = await serve(serveText('other'), { host: '127.0.0.1', port: checked.port });
    const answers = ['127.0.0.2', '127.0.0.1', '127.0.0.1'];
    const resolve = vi.fn<() => Promise<string[]>>(async () => [answers.shift() ?? '127.0.0.1']);
    const outbound = outboundWith({ allowPrivateTargets: ['127.0.0.2'], resolve });
    expect((await outbound.fetch(`http://rebind.test:${checked.port}/`)).text()).toBe('checked');
    expect(resolve).toHaveBeenCalledTimes(1);
    expect(other.requests).toEqual([]);
  });

  test('neither a dispatcher nor an address in the URL gets around the check', async () => {
    const server = await serve(ok);
    const outbound = outboundWith({ allowPrivateTargets: [] });
    for (const host of ['127.0.0.1', 'localhost', 'rebind.test', '[::ffff:7f00:1]', '2130706433', '0177.1']) {
      const url = new URL(`http://${host}:${server.port}/`);
      expect(await failure(outbound.fetch(url))).toMatchObject({ reason: 'TARGET_REFUSED' });
      const direct = outbound.dispatcher.request({ origin: url.origin, path: '/', method: 'GET' });
      expect(await failure(direct)).toMatchObject({ reason: 'TARGET_REFUSED' });
    }
    expect(server.requests).toEqual([]);
  });
});

describe('bounds', () => {
  const zeros = Buffer.alloc(50 * 1024 * 1024);

  test.each([
    ['says it is too large', { 'content-length': String(1024 * 1024) }, Buffer.alloc(1024)],
    ['is too large without saying so', {}, Buffer.alloc(1024 * 1024)],
    ['unfolds from gzip to too much', { 'content-encoding': 'gzip' }, gzipSync(zeros)],
    ['unfolds from brotli to too much', { 'content-encoding': 'br' }, brotliCompressSync(zeros)],
  ])('a body that %s is cut off', async (_what, headers, body) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.write(body.subarray(0, 512 * 1024));
      response.end(body.subarray(512 * 1024));
    });
    expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toEqual({
      reason: 'TOO_LARGE',
      message: 'The answer is larger than 65536 bytes',
    });
  });

  test('a body that never ends is cut off', async () => {
    const server = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toMatchObject({
      reason: 'TOO_LARGE',
    });
  });

  test('a compressed body within bounds is unfolded', async () => {
    const text = 'quazzar '.repeat(1_000);
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    });
    expect((await outboundWith().fetch(`http://hooks.test:${server.port}/`)).text()).toBe(text);
  });

  test.each([
    ['gzip, gzip', gzipSync(gzipSync('x'))],
    ['gzip', Buffer.from('not gzip')],
    ['zstd', Buffer.from('x')],
  ])('a body in %j that cannot be read is no answer', async (encoding, body) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    });
    expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toMatchObject({
      reason: 'UNREACHABLE',
    });
  });

  test.each<[string, Parameters<typeof startLoopback>[0]]>([
    ['headers', () => undefined],
    ['a body', (_request, response) => void response.write('slow')],
    [
      'redirects',
      (_request, response) => void setTimeout(() => response.writeHead(302, { location: '/' }).end(), 120),
    ],
  ])('waiting for %s ends when the time is over', async (_what, answer) => {
    const server = await serve(answer);
    const outbound = outboundWith({ timeoutMs: 300, maxRedirects: 100 });
    expect(await failure(outbound.fetch(`http://hooks.test:${server.port}/`))).toEqual({
      reason: 'TIMEOUT',
      message: `hooks.test:${server.port} did not answer within 300 ms`,
    });
  });

  test('a resolver that does not answer is not waited for', async () => {
    const outbound = outboundWith({ timeoutMs: 200, resolve: () => new Promise(() => undefined) });
    expect(await failure(outbound.fetch('http://hooks.test/'))).toMatchObject({ reason: 'TIMEOUT' });
  });

  test('headers without end are cut off', async () => {
    const server = await serve((_request, response) => {
      for (let n = 0; n < 100; n += 1) response.setHeader(`x-${n}`, 'x'.repeat(1_000));
      response.end();
    });
    expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toMatchObject({
      reason: 'TOO_LARGE',
    });
  });

  test('a closed port, and a name without address, are UNREACHABLE and tell no address', async () => {
    const server = await startLoopback(ok);
    await server[Symbol.asyncDispose]();
    expect(await failure(outboundWith().fetch(`http://hooks.test:${server.port}/`))).toEqual({
      reason: 'UNREACHABLE',
      message: `hooks.test:${server.port} could not be reached`,
    });
    expect(await failure(outboundWith({ resolve: async () => [] }).fetch('http://none.test/'))).toEqual({
      reason: 'UNREACHABLE',
      message: 'none.test has no address',
    });
  });
});
