import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { DueQuestions } from '#platform/membership/due-questions.job.js';
import { Lease } from '#platform/membership/lease.js';
import { sweepLoop } from '#platform/membership/sweep.job.js';
import { Turns } from '#platform/membership/turns.js';

import { TestClock } from '../support/clock.js';
import { JobsBench } from './support/jobs.js';
import { noteJobs, writeNote } from './support/note-jobs.js';

const bench = new JobsBench();
const patience = { timeout: 20_000, interval: 50 };
const newTenant = () => `org_${randomUUID()}`;

describe('a sweep', () => {
  test('asks for a job in the transaction of its run', async () => {
    await bench.run([noteJobs(bench.database)]);
    const tenantId = newTenant();
    const lease = new Lease(await bench.open('platform'), 'fleet', 'holder', silentLogger);
    await lease.start();
    const clock = new TestClock();
    const outcomes = ['undone', 'swept', 'not reached'];
    const loop = sweepLoop(
      {
        name: 'note.sweep',
        everyMs: 1_000,
        async run({ enqueue: ask }) {
          const word = outcomes.shift()!;
          ask(writeNote, { tenantId, word });
          if (word === 'undone') throw new Error(word);
          return 'done';
        },
      },
      {
        database: bench.database,
        lease,
        clock,
        logger: silentLogger,
        longTurns: new Turns(1),
        questions: new DueQuestions(bench.database.connections, silentLogger),
      },
    );
    loop.start();
    await expect
      .poll(async () => {
        if (outcomes.length > 1) await clock.advance(1_000);
        return bench.notes(tenantId);
      }, patience)
      .toEqual(['swept', 'swept done']);
    await loop.stop();
    await lease.stop();
  });

  test('is run only while its question has rows', async () => {
    const tenantId = newTenant();
    const { database } = bench;
    await bench.run([noteJobs(database)]);
    const clock = new TestClock();
    const lease = new Lease(await bench.open('platform'), 'fleet', 'holder', silentLogger);
    await lease.start();
    let runs = 0;
    const loop = sweepLoop(
      {
        name: 'note.sweep',
        everyMs: 1_000,
        due: `select from fleet.note where tenant_id = '${tenantId}' and word = 'done' and at <= ?::timestamptz + interval '1 year'`,
        async run({ enqueue: ask }) {
          runs += 1;
          ask(writeNote, { tenantId, word: 'swept' });
          return 'done';
        },
      },
      {
        database,
        lease,
        clock,
        logger: silentLogger,
        longTurns: new Turns(1),
        questions: new DueQuestions(database.connections, silentLogger),
      },
    );
    loop.start();
    for (let second = 0; second < 5; second += 1) await clock.advance(1_000);
    expect(runs).toBe(0);
    await bench.enqueue(writeNote, { tenantId, word: 'done' });
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return runs;
      }, patience)
      .toBeGreaterThan(0);
    await loop.stop();
    await lease.stop();
  });
});
