import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { Enqueue } from '#platform/jobs/job.js';
import { silentLogger } from '#platform/logger.js';
import { dueSweep } from '#platform/membership/due-sweep.js';
import { Lease } from '#platform/membership/lease.js';
import { sweepLoop } from '#platform/membership/sweep.job.js';
import { Turns } from '#platform/membership/turns.js';
import { openEndsSweep } from '#subgraphs/billing/change/finish-intent.job.js';
import { countFoldSweep } from '#subgraphs/fleet/summary/instance-count.job.js';
import { canariesDueSweep } from '#subgraphs/governance/canary/due.job.js';
import { gitOpsDueSweep } from '#subgraphs/governance/gitops/sync/due.job.js';
import { remediationsDueSweep } from '#subgraphs/governance/remediation/remediation.job.js';
import { deploymentsDueSweep } from '#subgraphs/hosting/deployment/due.job.js';
import { placementsDueSweep } from '#subgraphs/hosting/placement/placements-due.job.js';
import { serversDueSweep } from '#subgraphs/hosting/provision/due.job.js';

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
    const lease = new Lease(
      await bench.open('platform'),
      'fleet',
      { id: 'holder', knowsOthers: true },
      silentLogger,
    );
    await lease.renew();
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
    const lease = new Lease(
      await bench.open('platform'),
      'fleet',
      { id: 'holder', knowsOthers: true },
      silentLogger,
    );
    await lease.renew();
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

  test('that waits behind a long one is not begun once a stop has begun', async () => {
    const { database } = bench;
    const session = { id: 'holder', knowsOthers: true };
    const lease = new Lease(await bench.open('platform'), 'fleet', session, silentLogger);
    await lease.renew();
    const ran: string[] = [];
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const longTurns = new Turns(1);
    const [first, second] = ['first', 'second'].map((name) =>
      sweepLoop(
        {
          name: `note.${name}`,
          everyMs: 1_000,
          isLong: true,
          async run() {
            ran.push(name);
            await held;
            return 'done';
          },
        },
        {
          database,
          lease,
          clock: new TestClock(),
          logger: silentLogger,
          longTurns,
        },
      ),
    );
    first!.start();
    await expect.poll(() => ran, patience).toEqual(['first']);
    second!.start();
    // By then it waits for its turn.
    await setImmediate();
    const stopped = Promise.all([first!.stop(), second!.stop()]);
    letGo();
    await stopped;
    expect(ran).toEqual(['first']);
    await lease.stop();
  });

  test('of what is due takes up the rows of one tenant after the other, and passes over those that somebody is at', async () => {
    const { database } = bench;
    const now = new Date('2000-01-01T00:00:00Z');
    const sweep = dueSweep({
      name: 'note.due',
      everyMs: 1_000,
      table: 'fleet.note',
      column: 'at',
      atOnce: 2,
      claimMs: 60_000,
      job: writeNote,
      payload: (tenantId, id) => ({ tenantId, word: String(id) }),
    });
    const [first, second] = [newTenant(), newTenant()];
    const note = async (tenantId: string, word: string, secondsBefore: number) =>
      bench.sql('insert into fleet.note (tenant_id, word, attempt, pid, at) values ($1, $2, 0, 0, $3)', [
        tenantId,
        word,
        new Date(now.getTime() - secondsBefore * 1_000),
      ]);
    for (const [at, word] of ['taken', 'a', 'b', 'c'].entries()) await note(first, word, 60 - at);
    await note(first, 'later', -1);
    await note(second, 'd', 10);
    const wordOf = async (id: string) =>
      (await bench.sql<{ word: string }>('select word from fleet.note where id = $1', [id]))[0]!.word;
    const run = async () =>
      database.forJobs().transactional(async (em) => {
        const asked: string[] = [];
        const ask = (_job: unknown, { word }: { word?: string }) => void asked.push(word!);
        const outcome = await sweep.run({ em, now, publish: () => undefined, enqueue: ask as Enqueue });
        return [outcome, ...(await Promise.all(asked.map(wordOf))).toSorted()];
      });
    await database.forJobs().transactional(async (em) => {
      await em.execute(`select 1 from fleet.note where tenant_id = ? and word = 'taken' for update`, [first]);
      expect(await run()).toEqual(['more', 'a', 'b']);
      expect(await run()).toEqual(['more', 'c']);
      expect(await run()).toEqual(['more', 'd']);
      expect(await run()).toEqual(['done']);
    });
    expect(await run()).toEqual(['more', 'taken']);
    // Whoever took them up had a minute for it.
    const until = await bench.sql<{ at: Date }>(
      `select distinct at from fleet.note where tenant_id = any($1) and word <> 'later'`,
      [[first, second]],
    );
    expect(until).toEqual([{ at: new Date(now.getTime() + 60_000) }]);
    expect(
      await bench.sql(`select 1 from fleet.note n where exists (${sweep.due!.replace('?', '$1')})`, [now]),
    ).toEqual([]);
  });

  test('of ends of subscriptions that are open asks for each once a day, however many there are', async () => {
    const billing = await bench.open('billing');
    const now = new Date('2000-01-02T00:00:00Z');
    await bench.sql(
      `insert into billing.intent (tenant_id, id, kind, params, mutation, fingerprint, created_at)
       select 'org_' || lpad(n::text, 4, '0'), 'intent', 'CANCEL', '{}', '{}', '', '2000-01-01'
       from generate_series(1, 2500) n`,
    );
    const sweep = openEndsSweep();
    const asked: string[] = [];
    const ask = (_job: unknown, { tenantId }: { tenantId: string }) => void asked.push(tenantId);
    const run = async () =>
      billing.forJobs().transactional(async (em) => {
        const before = asked.length;
        const outcome = await sweep.run({ em, now, publish: () => undefined, enqueue: ask as Enqueue });
        return [outcome, asked.length - before];
      });
    for (const _day of [1, 2]) {
      expect([await run(), await run(), await run()]).toEqual([
        ['more', 1_000],
        ['more', 1_000],
        ['done', 500],
      ]);
      expect(new Set(asked.splice(0)).size).toBe(2_500);
    }
    await bench.sql('delete from billing.intent');
  });

  test.each(
    [
      canariesDueSweep,
      remediationsDueSweep,
      gitOpsDueSweep,
      serversDueSweep,
      deploymentsDueSweep,
      placementsDueSweep,
      countFoldSweep,
    ].map((sweep) => [sweep.name, sweep.due!] as const),
  )('%s is asked about from an index alone', async (_name, due) => {
    const plan = await bench.plan(`select exists (${due.replaceAll('?', 'now()')})`);
    expect(plan).toMatch(/Index/);
    expect(plan).not.toMatch(/Seq Scan|Aggregate/);
  });
});
