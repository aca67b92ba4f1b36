import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { expect, onTestFinished, test } from 'vitest';

import { createHealthRouter } from '#platform/health.js';

test.each([
  ['in order', [], false, [200, { status: 'ok' }], [200, { status: 'ready' }]],
  [
    'in an outage that passes',
    ['the database of fleet does not answer'],
    false,
    [200, { status: 'ok' }],
    [503, { status: 'not ready', problems: ['the database of fleet does not answer'] }],
  ],
  ['broken for good', [], true, [503, { status: 'broken' }], [200, { status: 'ready' }]],
])(
  'of a process that is %s health and readiness say so',
  async (_, problems, isBroken, health, readiness) => {
    const app = express().use(
      createHealthRouter({ problems: async () => problems, isBroken: () => isBroken }),
    );
    const server = app.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
      return [answer.status, await answer.json()];
    };
    expect(await ask('/healthz')).toEqual(health);
    expect(await ask('/readyz')).toEqual(readiness);
  },
);
