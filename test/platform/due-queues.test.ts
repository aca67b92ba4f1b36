import { randomUUID } from 'node:crypto';

import { expect, test } from 'vitest';

import { areaRoles } from '#platform/database/roles.js';
import { DueQueues } from '#platform/jobs/due-queues.js';
import type { JobDefinition } from '#platform/jobs/job.js';
import { silentLogger } from '#platform/logger.js';

import { JobsBench } from './support/jobs.js';

const bench = new JobsBench();
const never = (name: string): JobDefinition => ({
  name: `fleet.${name}`,
  retry: { limit: 0, delaySeconds: 1, maxDelaySeconds: 1 },
  expireInSeconds: 30,
  handle: async () => Promise.resolve(),
});

test('only queues that have a job whose time has come are told of', async () => {
  const kinds = [never('waits'), never('due'), never('empty')] as const;
  // Makes the queues, and takes nothing any more.
  const runner = await bench.run([...kinds]);
  await runner.stop();
  const tenantId = `org_${randomUUID()}`;
  await bench.enqueue(kinds[0], { tenantId }, { startAfterSeconds: 3_600 });
  await bench.enqueue(kinds[1], { tenantId });
  const told: string[] = [];
  const queues = new DueQueues({
    ask: async (sql) => bench.database.connections.questions.ask(areaRoles('platform').jobs, sql),
    names: kinds.map(({ name }) => name),
    everySeconds: 1,
    logger: silentLogger,
    onDue: (name) => told.push(name),
  });
  queues.start();
  await expect.poll(() => told.length, { timeout: 20_000 }).toBeGreaterThan(1);
  await queues.stop();
  expect(new Set(told)).toEqual(new Set(['fleet.due']));
});
