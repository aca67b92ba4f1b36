import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { createDataDir } from '../support/data-dir.js';
import { createTestDatabase } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { World, type Node, type Tenant } from '../support/world.js';

// Fresh clusters are made, and started three times, beside whatever else the machine does.
const longest = 240_000;

let dataDir: string;
let port: number;
let running: PanelProcess;

/** As a user runs it: PostgreSQL under DATA_DIR, everything else left to its default. */
async function start(): Promise<World> {
  running = new PanelProcess(port, { DATA_DIR: dataDir });
  await running.ready();
  return new World(running.url, new TestClock());
}

/** The process of the PostgreSQL that the panel has started. */
function postgresPid(): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
}

beforeAll(async () => {
  dataDir = createDataDir();
  port = await freePort();
});
afterAll(async () => {
  // Stops PostgreSQL as well.
  await running.kill('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a panel that is killed', () => {
  let tenant: Tenant;
  let node: Node;

  /** What is known of the node after a new start. */
  async function stored(world: World) {
    const token = (await world.login(tenant.account.email, tenant.account.password)).body.access_token;
    const { body } = await world.rest<Record<string, unknown>[]>('/api/fleet/instances', { token });
    return body.map(({ id, status, cpu_percent }) => ({ id, status, cpu_percent }));
  }

  test(
    'loses no beat that it has acknowledged',
    async () => {
      const world = await start();
      tenant = await world.tenant();
      node = await tenant.node();
      const answer = await node.beat({ cpu_percent: 51 });
      expect([await running.kill('SIGKILL'), answer.status]).toEqual(['SIGKILL', 200]);

      expect(await stored(await start())).toEqual([{ id: node.id, status: 'healthy', cpu_percent: 51 }]);
    },
    longest,
  );

  test(
    'loses none either when PostgreSQL is killed with it',
    async () => {
      const postmaster = postgresPid();
      const answer = await node.beat({ cpu_percent: 52 });
      process.kill(postmaster, 'SIGKILL');
      expect([await running.kill('SIGKILL'), answer.status]).toEqual(['SIGKILL', 200]);

      expect(await stored(await start())).toEqual([{ id: node.id, status: 'healthy', cpu_percent: 52 }]);
      expect(postgresPid()).not.toBe(postmaster);
    },
    longest,
  );
});

/** Sends bytes as they are, and answers what came back until the panel closed the connection. */
async function send(...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

const post = (path: string, body: string | Buffer, ...headers: string[]) =>
  send(
    [
      `POST ${path} HTTP/1.1`,
      'Host: x',
      'Connection: close',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
    ]
      .concat('', '')
      .join('\r\n'),
    body,
  );
const json = 'Content-Type: application/json';
const upgrade = ['GET /graphql HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
const socketKey = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const lines = (...all: string[]) => [...all, '', ''].join('\r\n');

describe('malformed requests', () => {
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
  const requests: Record<string, [ask: () => Promise<string>, status: number]> = {
    noise: [() => send(Buffer.from([0, 255, 22, 3, 1, 13, 10, 13, 10])), 400],
    'a header that never ends': [() => send('GET / HTTP/1.1\r\nX: ', 'a'.repeat(64 * 1024)), 431],
    'a path that is no percent-encoding': [
      () => send(lines('GET /api/%E0%A4%A HTTP/1.1', 'Host: x', 'Connection: close')),
      400,
    ],
    'the same outside /api': [
      () => send(lines('GET /%E0%A4%A HTTP/1.1', 'Host: x', 'Connection: close')),
      400,
    ],
    'a body that is not JSON': [() => post('/api/auth/login', '{"email":', json), 400],
    'a body that is no object': [() => post('/api/auth/login', '[1]', json), 400],
    'a body that is not UTF-8': [() => post('/api/auth/login', Buffer.from([0x7b, 0xff, 0x7d]), json), 400],
    'a body that is not what it says': [
      () => post('/api/auth/login', 'plain', json, 'Content-Encoding: gzip'),
      400,
    ],
    'a body nested without end': [() => post('/api/auth/login', '['.repeat(60_000), json), 400],
    'a body that is too large': [() => post('/api/auth/login', 'x'.repeat(1024 * 1024 + 1), json), 413],
    'a body cut short': [
      () => send(lines('POST /api/auth/login HTTP/1.1', 'Host: x', json, 'Content-Length: 90'), '{'),
      400,
    ],
    'a chunk that is none': [
      () => send(lines('POST /graphql HTTP/1.1', 'Host: x', json, 'Transfer-Encoding: chunked'), 'zz\r\n'),
      400,
    ],
    'GraphQL that is not JSON': [() => post('/graphql', 'query', json), 400],
    'GraphQL without a query': [() => post('/graphql', '{}', json), 400],
    'GraphQL with a query that is none': [() => post('/graphql', '{"query":{"a":1}}', json), 400],
    'a WebSocket without a key': [() => send(lines(...upgrade)), 400],
    'a WebSocket to nowhere': [
      () => send(lines('GET /nowhere HTTP/1.1', ...upgrade.slice(1), ...socketKey)),
      404,
    ],
    'a WebSocket that speaks noise': [
      () =>
        send(
          lines(...upgrade, ...socketKey, 'Sec-WebSocket-Protocol: graphql-transport-ws'),
          Buffer.alloc(200, 0xff),
        ),
      101,
    ],
  };

  test.for(Object.entries(requests))('%s is answered, and ends nothing', async ([name, [ask, status]]) => {
    const answer = statusOf(await ask());
    // Where the connection is cut before an answer could be read, that is an answer too.
    expect([name, answer]).toEqual([name, expect.toSatisfy((got: number) => got === status || got === 0)]);
    const ready = await fetch(`${running.url}/readyz`);
    expect([ready.status, running.isRunning]).toEqual([200, true]);
  });

  test('none of them is logged as a fault of ours', () => {
    expect(running.output).not.toMatch(/"level":(50|60)|Unhandled|uncaught/i);
  });
});

describe('a panel that cannot start', () => {
  test('for its port is in use says so, and leaves nothing behind that keeps the next from starting', async () => {
    const database = await createTestDatabase();
    const options = (port: number) => ({
      ...panelOptions({
        DATABASE_URL: database.url,
        SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
        DRAIN_SECONDS: '0',
        PORT: String(port),
        HOST: '127.0.0.1',
        PUBLIC_URL: 'http://panel.test',
      }),
      logger: silentLogger,
    });
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: taken } = other.address() as AddressInfo;
    await expect(startPanel(options(taken))).rejects.toThrow(
      `Port ${taken} is in use. Stop what listens there, or set PORT to another.`,
    );
    other.close();
    const panel = await startPanel(options(0));
    expect((await fetch(`${panel.url}/readyz`)).status).toBe(200);
    await panel.stop();
    await database.drop();
  });

  test.concurrent('for its settings are wrong names all of them, and nothing else', async () => {
    const wrong = new PanelProcess(70_000, {
      PUBLIC_URL: 'nowhere',
      DATABASE_URL: 'not a url',
      SECRETS_KEY: 'short',
      LOG_LEVEL: 'chatty',
      ADMIN_EMAIL: 'nobody',
      ADMIN_PASSWORD: 'short',
      HEARTBEAT_SECONDS: '0',
    });
    expect([await wrong.ended, settingsNamedIn(wrong.output)]).toEqual([
      1,
      [
        'ADMIN_EMAIL',
        'ADMIN_PASSWORD',
        'DATABASE_URL',
        'HEARTBEAT_SECONDS',
        'LOG_LEVEL',
        'PORT',
        'PUBLIC_URL',
        'SECRETS_KEY',
      ],
    ]);
    expect(wrong.output).not.toMatch(/^ +at /m);
  });

  test.concurrent('for the key beside a database of its own is missing says so together with the rest', async () => {
    const wrong = new PanelProcess(port, {
      DATABASE_URL: 'postgresql://panel_app@127.0.0.1:1/none',
      HEARTBEAT_SECONDS: 'often',
    });
    expect([await wrong.ended, settingsNamedIn(wrong.output)]).toEqual([
      1,
      ['HEARTBEAT_SECONDS', 'SECRETS_KEY'],
    ]);
  });
});

function settingsNamedIn(output: string): string[] {
  return [...output.matchAll(/^ {2}- (\w+)/gm)].map(([, name]) => name!).toSorted();
}
