import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import { parse } from 'graphql';
import { expect, onTestFinished, test } from 'vitest';

import { runAtGateway } from '#panel/run-at-gateway.js';

import { freePort } from '../support/process.js';

const context = { requestId: 'test', clientAddress: '' };
const mutation = parse('mutation { sendCommand { id } }');
const query = parse('{ instances { totalCount } }');
const comeAgain = { extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 5 } };
const unknown = { extensions: { code: 'UNAVAILABLE', reason: 'OUTCOME_UNKNOWN' } };

async function gateway(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return runAtGateway(() => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test('a mutation that a gateway has heard and not answered may be done; a query is asked for again', async () => {
  const lost: RequestListener[] = [
    ({ socket }) => socket.destroy(),
    (_, response) => response.writeHead(502).end('{"error":"a panel was lost"}'),
    (_, response) => response.writeHead(504).end('<html>'),
  ];
  for (const listener of lost) {
    const run = await gateway(listener);
    await expect(run({ document: mutation, variables: {}, context })).rejects.toMatchObject(unknown);
    await expect(run({ document: query, variables: {}, context })).rejects.toMatchObject(comeAgain);
  }
});

test('a mutation that no gateway has heard, or that a proxy has turned away, is not done', async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const none = runAtGateway(() => nowhere);
  await expect(none({ document: mutation, variables: {}, context })).rejects.toMatchObject(comeAgain);
  const proxy = await gateway((_, response) => response.writeHead(503).end('{"error":"No panel is ready"}'));
  await expect(proxy({ document: mutation, variables: {}, context })).rejects.toMatchObject(comeAgain);
});
