import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

import { CommandFeed, type CommandFeedOptions } from '#agent/commands/feed.js';
import { createLogger } from '#agent/logger.js';
import { seededRandom } from '#agent/random.js';

import { until } from '../support/world.js';

/** Speaks graphql-transport-ws as far as a node needs it, and keeps who has come and when. */
async function startStub(onSubscribe: (socket: WebSocket, id: string, at: number) => void = () => {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const came: number[] = [];
  server.on('connection', (socket) => {
    const at = came.push(performance.now()) - 1;
    socket.on('message', (data: Buffer) => {
      const { type, id } = JSON.parse(data.toString('utf8')) as { type: string; id: string };
      if (type === 'connection_init') socket.send(JSON.stringify({ type: 'connection_ack' }));
      if (type === 'subscribe') onSubscribe(socket, id, at);
    });
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { server, came, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function listen(url: string, options: Partial<CommandFeedOptions>): string[] {
  const heard: string[] = [];
  const feed = new CommandFeed({
    panelUrl: url,
    credential: () => 'cred',
    onCommand: ({ id, command }) => heard.push(`${id} ${command}`),
    logger: createLogger('silent'),
    ...options,
  });
  feed.start();
  onTestFinished(() => feed.stop());
  return heard;
}

test('a panel of which nothing is heard any more is asked anew, and one that pings is listened to', async () => {
  const commandsFor = [{ id: 'cmd_1', command: 'RESTART', params: {}, lease: '1.x' }];
  const stub = await startStub((socket, id, at) => {
    // The way to the first one is gone without a word.
    if (at === 0) return;
    let pings = 0;
    const timer = setInterval(() => {
      pings += 1;
      socket.ping();
      // By then it has been silent but for its pings for three times as long as is waited for.
      if (pings === 60) socket.send(JSON.stringify({ id, type: 'next', payload: { data: { commandsFor } } }));
    }, 20);
    socket.once('close', () => clearInterval(timer));
  });
  const heard = listen(stub.url, { silentMs: 400, returnOverMs: 1 });
  await until(async () => heard.length > 0, 'the command');
  expect({ heard, connections: stub.came.length }).toEqual({ heard: ['cmd_1 restart'], connections: 2 });
});

test('nodes that lose their panel together come back one by one', async () => {
  const [nodes, overMs] = [20, 2_000];
  const stub = await startStub();
  const random = seededRandom('coming back');
  for (let at = 0; at < nodes; at += 1) listen(stub.url, { random, returnOverMs: overMs });
  await until(async () => stub.came.length === nodes, 'all to listen');
  await until(async () => stub.server.clients.size === nodes, 'all to be open');
  for (const socket of stub.server.clients) socket.close(1012, 'Service restart');
  await until(async () => stub.came.length === 2 * nodes, 'all to be back');
  const back = stub.came.slice(nodes);
  expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(overMs / 2);
});
