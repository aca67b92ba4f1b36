import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { expect, test } from 'vitest';

import { PatroniClient } from '#subgraphs/hosting/ha/patroni/client.js';

import { PatroniMember } from './support/patroni-member.js';

test('a switchover is asked of the next member where the name of the one before leads nowhere', async () => {
  await using there = await PatroniMember.start();
  await new PatroniClient(['http://patroni-1.invalid:8008', there.url]).lead('pg-1', 'pg-2');
  expect(there.asked).toEqual(['POST /switchover']);
}, 60_000);

/** A port at which nothing is answered, not even a connection, as of a machine that is off. */
async function silentPort(): Promise<AsyncDisposable & { port: number }> {
  const listens =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', listens], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line);
  child.kill('SIGSTOP');
  // The system takes connections for it until its queue is full.
  const queued: Socket[] = [];
  for (let at = 0; at < 8; at += 1) queued.push(connect(port, '127.0.0.1').on('error', () => undefined));
  await once(queued[0]!, 'connect');
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('a machine that is off is waited for no longer than for an answer', async () => {
  await using off = await silentPort();
  await using there = await PatroniMember.start();
  const client = new PatroniClient([`http://127.0.0.1:${off.port}`, there.url]);
  await client.lead('pg-1', 'pg-2');
  expect(there.asked).toEqual(['POST /switchover']);
  // undici's own patience is ten seconds.
}, 8_000);

test('the member that answered last is asked to switch, and no other one', async () => {
  await using first = await PatroniMember.start();
  await using second = await PatroniMember.start();
  const client = new PatroniClient([first.url, second.url]);
  await first.close();
  await client.view();
  await first.open();
  await client.lead('pg-1', 'pg-2');
  expect(second.asked).toContain('POST /switchover');
  expect(first.asked).toEqual([]);
}, 60_000);
