import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, expect, test } from 'vitest';

import { PatroniClient } from '#subgraphs/hosting/ha/patroni/client.js';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** A member's REST interface, and what it was asked. */
async function member() {
  const asked: string[] = [];
  const answers: Record<string, string> = {
    'GET /cluster': '{"members": [{"name": "pg-1", "role": "leader", "state": "running"}]}',
    'GET /config': '{}',
    'GET /history': '[]',
    'POST /switchover': 'Successfully switched over to "pg-2"',
  };
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url}`;
    asked.push(what);
    response.writeHead(answers[what] === undefined ? 404 : 200, { connection: 'close' }).end(answers[what]);
  });
  servers.push(server);
  const open = async (at = 0) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  await open();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    reopen: async () => open(port),
    close: async () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test('a switchover is asked of the next member where the name of the one before leads nowhere', async () => {
  const { url, asked } = await member();
  await new PatroniClient(['http://patroni-1.invalid:8008', url]).lead('pg-1', 'pg-2');
  expect(asked).toEqual(['POST /switchover']);
}, 60_000);

test('the member that answered last is asked to switch, and no other one', async () => {
  const [first, second] = [await member(), await member()];
  const client = new PatroniClient([first.url, second.url]);
  await first.close();
  await client.view();
  await first.reopen();
  await client.lead('pg-1', 'pg-2');
  expect(second.asked).toContain('POST /switchover');
  expect(first.asked).toEqual([]);
}, 60_000);
