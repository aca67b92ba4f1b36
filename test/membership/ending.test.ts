import { once } from 'node:events';

import { expect, test } from 'vitest';

import { schemas } from '#panel/areas.js';
import { Background } from '#panel/background.js';
import { systemClock } from '#platform/clock.js';
import { knownAs } from '#platform/database/migrate.js';
import type { JobDefinition } from '#platform/jobs/job.js';
import { silentLogger } from '#platform/logger.js';
import { Metrics } from '#platform/metrics.js';

import { JobsBench } from '../platform/support/jobs.js';

const bench = new JobsBench();

test('at a stop a job that is late is told so and left to others before the leases are given up', async () => {
  const tenantId = 'org_ending';
  let told: AbortSignal | undefined;
  const late: JobDefinition = {
    name: 'fleet.note.late',
    retry: { limit: 2, delaySeconds: 60, maxDelaySeconds: 60 },
    expireInSeconds: 60,
    async handle({ signal }) {
      told = signal;
      await once(signal, 'abort');
    },
  };
  const background = new Background({
    connections: bench.database.connections,
    platform: await bench.open('platform'),
    areas: [{ database: bench.database, sweeps: [], consumers: [], jobs: [late] }],
    sources: [],
    nodeName: 'ending',
    version: '1.0.0',
    knows: schemas.flatMap(({ name, migrations }) => knownAs(name, migrations)),
    clock: systemClock,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  const holders = async () =>
    bench.sql(`select split_part(holder, '/', 1) as holder from platform.lease where name = 'fleet'`);
  await background.start();
  await bench.enqueue(late, { tenantId });
  await expect.poll(() => told?.aborted, { timeout: 20_000 }).toBe(false);

  await background.end();
  expect([told?.aborted, await bench.states(tenantId), await holders()]).toEqual([
    true,
    ['retry'],
    [{ holder: 'ending' }],
  ]);
  await background.stop();
  expect(await holders()).toEqual([{ holder: '' }]);
});
