import pino from 'pino';
import { expect, test } from 'vitest';

import { panelEnv } from '#panel/env.js';
import { createReadPositions } from '#panel/read-positions.js';
import { Metrics } from '#platform/metrics.js';

import { testSecretsKey } from '../support/panel.js';

async function warningsWith(settings: Record<string, string>): Promise<string[]> {
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const { stop } = await createReadPositions(
    panelEnv({ DATABASE_URL: 'postgres://one/panel', SECRETS_KEY: testSecretsKey, ...settings }),
    logger,
    new Metrics(),
  );
  await stop();
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
}

test('replicas without Redis are warned of: other processes do not know what this one has written', async () => {
  const DATABASE_READ_URL = 'postgres://two/panel';
  expect(await warningsWith({})).toEqual([]);
  expect(await warningsWith({ DATABASE_READ_URL })).toEqual([
    expect.stringMatching(/DATABASE_READ_URL is set without REDIS_URL.*no other process serves clients/),
  ]);
});
