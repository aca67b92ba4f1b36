import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { CommandFeed } from '#agent/commands/feed.js';
import { createPanelClient } from '#agent/panel-client.js';
import { waysThrough, type Proxies } from '#agent/proxies.js';
import { memoryStateStore } from '#agent/state-store.js';
import { assetPath, packageRoot } from '#platform/package-root.js';

import { sent, statuses } from '../fleet/commands/support/commands.js';
import { secureTest } from '../platform/support/certificate.js';
import { startTestPanel } from '../support/panel.js';
import { RunningChild } from '../support/process.js';
import { until, type Node } from '../support/world.js';
import { ForwardProxy } from './support/forward-proxy.js';
import { HandClock } from './support/hand-clock.js';
import { kept } from './support/log.js';
import { TestNode } from './support/node.js';

/** The port of loopback that secure.test stands for: what comes there over TLS is passed on to `url`. */
async function secured(url: string): Promise<number> {
  const { port } = new URL(url);
  const server = createServer(secureTest, (socket) => {
    const upstream = connect(Number(port), '127.0.0.1');
    for (const side of [socket, upstream]) side.on('error', () => side.destroy());
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The agent as it is shipped, with these variables and no others. */
function startAgent(env: Record<string, string>): RunningChild {
  const folder = mkdtempSync(join(tmpdir(), 'quazzar-agent-'));
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, secureTest.cert);
  const child = new RunningChild(
    spawn(process.execPath, [assetPath('dist', 'agent', 'main.js')], {
      cwd: packageRoot,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        NODE_EXTRA_CA_CERTS: authority,
        QUAZZAR_STATE: join(folder, 'state.json'),
        QUAZZAR_NAME: 'inside',
        QUAZZAR_SIMULATE: 'true',
        QUAZZAR_LOG_LEVEL: 'debug',
        ...env,
      },
    }),
  );
  onTestFinished(async () => void (await child.kill('SIGTERM')));
  return child;
}

test('a node behind a proxy enrolls, beats and hears of commands at once, and no line of its log lets in there', async () => {
  await using panel = await startTestPanel({ HEARTBEAT_SECONDS: '10', METRICS_PORT: '0' });
  const tenant = await panel.world.tenant();
  const proxy = await ForwardProxy.start({ 'secure.test': await secured(panel.panel.url) });
  const agent = startAgent({
    QUAZZAR_PANEL: 'https://secure.test',
    QUAZZAR_TOKEN: await tenant.enrollmentToken(),
    https_proxy: proxy.url(),
    HTTPS_PROXY: 'http://127.0.0.1:1',
    no_proxy: 'elsewhere.test',
  });
  await agent.said('Beat accepted');
  const answer = await tenant.graphql<{ instances: { nodes: Node[] } }>('{ instances { nodes { id } } }');
  const [node] = answer.data!.instances.nodes;
  const metrics = async () => (await fetch(`${panel.panel.metricsUrl}/metrics`)).text();
  await until(async () => /^panel_subscriptions 1$/m.test(await metrics()), 'it to listen for commands');
  const command = await sent(tenant, [node!], { command: 'run_diagnostics' });
  await until(async () => (await statuses(tenant, command, [node!])).command === 'success', 'it to be done');
  // Within seconds of a beat; the next one is later.
  expect(agent.output.split('Beat accepted')).toHaveLength(2);
  await agent.kill('SIGTERM');

  const login = Buffer.from('node:s3cr@t').toString('base64');
  expect(new Set(proxy.asked.map(({ what }) => what))).toEqual(new Set(['CONNECT secure.test:443']));
  expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([`Basic ${login}`]));
  expect(agent.output).toContain(`"https":"${proxy.url('')}"`);
  for (const secret of ['s3cr', login]) expect(agent.output).not.toContain(secret);
}, 120_000);

test('what NO_PROXY names is reached directly, the rest of plain http through its own proxy', async () => {
  const [here, there] = [await TestNode.create(), await TestNode.create()];
  const proxy = await ForwardProxy.start();
  for (const node of [here, there]) {
    const ways = waysThrough(
      { http: proxy.url(), noProxy: `other.example, ${new URL(here.panel.url).host}` },
      { panelUrl: node.panel.url },
    );
    node.agent = node.build(ways);
    await node.start();
    await node.step();
  }
  expect([here.panel.beats.length, there.panel.beats.length]).toEqual([1, 1]);
  expect(proxy.asked.map(({ what }) => what)).toEqual(
    ['enroll', 'heartbeat'].map((call) => `POST ${there.panel.url}/api/agent/${call}`),
  );
});

describe('to a panel with a name that only the proxy knows', () => {
  const panelUrl = 'https://secure.test';
  const state = { panelUrl, instanceId: 'inst_1', credential: 'cred_1', nextSequence: 1 };

  function listen(proxies: Proxies, handshakeMs = 500) {
    const log = kept();
    const { socketAgent } = waysThrough(proxies, { panelUrl });
    const options = { panelUrl, socketAgent, handshakeMs, returnOverMs: 1, logger: log.logger };
    const feed = new CommandFeed({ ...options, credential: () => 'cred', onCommand: () => undefined });
    feed.start();
    onTestFinished(() => feed.stop());
    return log;
  }

  test.each([
    'secure.test',
    'test',
    '.test',
    '*.test',
    'SECURE.test',
    'secure.test:443',
    'test:443',
    '*',
    'other.test, secure.test',
  ])('calls and WebSockets agree that NO_PROXY=%s means it', async (noProxy) => {
    const proxy = await ForwardProxy.start();
    const proxies = { https: proxy.url(), noProxy };
    const client = createPanelClient({
      panelUrl,
      clock: new HandClock(),
      timeoutMs: 5_000,
      ...waysThrough(proxies, { panelUrl }),
    });
    const outcome = await client.depart('cred', new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('secure.test') });
    const log = listen(proxies);
    await until(async () => log.lines.length > 0, 'its word');
    expect(log.lines[0]!['reason']).toContain('secure.test');
    expect(proxy.asked).toEqual([]);
  });

  test.each(['ecure.test', 'secure.test:8443', 'below.secure.test', '*.secure.test', ''])(
    'calls and WebSockets agree that NO_PROXY=%s does not mean it',
    async (noProxy) => {
      const proxy = await ForwardProxy.start();
      proxy.mood = 403;
      const proxies = { https: proxy.url(), noProxy };
      const ways = waysThrough(proxies, { panelUrl });
      const client = createPanelClient({ panelUrl, clock: new HandClock(), timeoutMs: 5_000, ...ways });
      await client.depart('cred', new AbortController().signal);
      expect(proxy.asked).toHaveLength(1);
      listen(proxies);
      await until(async () => proxy.asked.length > 1, 'the WebSocket to ask the proxy');
    },
  );

  test('none is sent through the proxy that is for http', async () => {
    const proxy = await ForwardProxy.start();
    const client = createPanelClient({
      panelUrl,
      clock: new HandClock(),
      timeoutMs: 5_000,
      ...waysThrough({ http: proxy.url() }, { panelUrl }),
    });
    expect(await client.depart('cred', new AbortController().signal)).toMatchObject({ kind: 'unavailable' });
    expect(proxy.asked).toEqual([]);
  });

  const troubles: [string, (proxy: ForwardProxy) => void | Promise<void>, string | undefined, string][] = [
    ['is off', (proxy) => proxy.stop(), undefined, 'can not be reached: connect ECONNREFUSED 127.0.0.1'],
    ['hangs', (proxy) => void (proxy.mood = 'silent'), undefined, 'does not answer'],
    [
      'does not know the node',
      () => undefined,
      'node:wrong-word',
      'answered 407: it does not take the name and password that it is given',
    ],
    ['wants a login', () => undefined, '', 'answered 407: it asks for a name and password'],
    [
      'refuses',
      (proxy) => void (proxy.mood = 403),
      undefined,
      'answered 403, and lets nothing through to the panel',
    ],
  ];
  test.each(troubles)(
    'a proxy that %s is told of by its name, and asked again as a panel is',
    async (_, make, login, says) => {
      const proxy = await ForwardProxy.start();
      const [address, shown] = [proxy.url(login), proxy.url('')];
      await make(proxy);
      const log = kept('debug');
      const node = await TestNode.create({
        panelUrl,
        stateStore: memoryStateStore(state),
        logger: log.logger,
        ...waysThrough({ https: address }, { panelUrl, answerWithinMs: 400 }),
      });
      await node.start();
      const waits = await node.steps(3);
      // The first beat, then half of 1, 2 and 4 s, as luck has it.
      expect(waits).toEqual([15_000, 500, 1_000]);
      const told = log.lines.filter(({ level }) => level >= 40);
      expect(told.map(({ reason }) => reason)).toEqual(
        Array.from({ length: 3 }, () => expect.stringContaining(`the proxy ${shown} ${says}`)),
      );
      expect(JSON.stringify(log.lines)).not.toMatch(/s3cr|wrong-word/);
    },
  );

  test.each([
    ['hanging up', /^the proxy http:\/\/127\.0\.0\.1:\d+ can not be reached: /],
    ['no HTTP', /^the proxy http:\/\/127\.0\.0\.1:\d+ can not be reached: /],
    ['hanging up behind', /./],
    ['no TLS behind', /./],
    ['silent behind', /^no answer within 1 s$|secure\.test/],
  ] as const)(
    'a proxy that is found %s costs a try, of a call and of a WebSocket, and no more',
    async (mood, says) => {
      const proxy = await ForwardProxy.start();
      proxy.mood = mood;
      const proxies = { https: proxy.url() };
      const ways = waysThrough(proxies, { panelUrl, answerWithinMs: 400 });
      const client = createPanelClient({ panelUrl, clock: new HandClock(), timeoutMs: 1_000, ...ways });
      const log = listen(proxies);
      for (let tries = 0; tries < 3; tries += 1) {
        const outcome = await client.depart('cred', new AbortController().signal);
        expect(outcome).toMatchObject({ kind: 'unavailable', message: expect.stringMatching(says) });
      }
      await until(async () => proxy.asked.length >= 6, 'three more tries of the WebSocket');
      expect(log.messages()).toEqual(['Commands come with beats only for now']);
    },
  );

  test('a proxy that is off for a plain http panel, or wants a login, is told of too', async () => {
    const proxy = await ForwardProxy.start();
    const node = await TestNode.create();
    const log = kept();
    const agent = (login?: string) =>
      node.build({
        logger: log.logger,
        stateStore: memoryStateStore({ ...state, panelUrl: node.panel.url }),
        ...waysThrough({ http: proxy.url(login) }, { panelUrl: node.panel.url, answerWithinMs: 400 }),
      });
    node.agent = agent('node:wrong-word');
    await node.start();
    await node.step();
    await node.agent.stop();
    const address = proxy.url('');
    node.agent = agent();
    await proxy.stop();
    await node.start();
    await node.step();
    expect(log.lines.filter(({ level }) => level === 40).map(({ reason }) => reason)).toEqual([
      'Proxy Authentication Required (407)',
      expect.stringContaining(`the proxy ${address} can not be reached: connect ECONNREFUSED`),
    ]);
  });

  test.each(['silent', 'silent behind'] as const)(
    'a WebSocket through a proxy that is %s is given up, told once, and heard again later',
    async (mood) => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      server.on('connection', (socket) =>
        socket.on('message', () => socket.send(JSON.stringify({ type: 'connection_ack' }))),
      );
      onTestFinished(() => {
        for (const socket of server.clients) socket.terminate();
        server.close();
      });
      const { port } = server.address() as AddressInfo;
      const proxy = await ForwardProxy.start({ 'secure.test': await secured(`http://127.0.0.1:${port}`) });
      proxy.mood = mood;
      setDefaultCACertificates([...getCACertificates('default'), secureTest.cert]);
      const log = listen({ https: proxy.url() });
      await until(async () => proxy.asked.length >= 3, 'it to be tried three times');
      proxy.mood = 'at work';
      await until(async () => log.lines.length > 1, 'it to be heard');
      expect(log.messages()).toEqual([
        'Commands come with beats only for now',
        'Commands come at once again',
      ]);
    },
  );
});
