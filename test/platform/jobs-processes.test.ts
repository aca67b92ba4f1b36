import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { Connections } from '#platform/database/connections.js';
import { JobBatch } from '#platform/jobs/enqueue.js';

import { JobsBench } from './support/jobs.js';
import { noteJobs, writeNote } from './support/note-jobs.js';

const bench = new JobsBench();
const patience = { timeout: 20_000, interval: 50 };
const newTenant = () => `org_${randomUUID()}`;

describe('processes', () => {
  test('kill -9 in the middle of a job loses nothing: another process runs it again', async () => {
    const tenantId = newTenant();
    const first = await bench.spawn();
    await bench.enqueue(writeNote, { tenantId, word: 'survivor', takesMs: 60_000 });
    await expect.poll(async () => bench.notes(tenantId), { timeout: 30_000 }).toEqual(['survivor']);
    await bench.kill(first);
    expect(await bench.states(tenantId)).toEqual(['active']);
    await bench.spawn();
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed']);
    expect(
      await bench.sql('select word, attempt from fleet.note where tenant_id = $1 order by id', [tenantId]),
    ).toEqual([
      { word: 'survivor', attempt: 1 },
      { word: 'survivor', attempt: 2 },
      { word: 'survivor done', attempt: 2 },
    ]);
  }, 120_000);

  test('share the work and never do the same job twice', async () => {
    const tenantId = newTenant();
    await Promise.all([bench.spawn(), bench.spawn()]);
    const words = Array.from({ length: 40 }, (_, n) => `word-${n}`);
    await bench.database.forTenant(tenantId).transactional(async (em) => {
      const batch = new JobBatch();
      for (const word of words) batch.enqueue(writeNote, { tenantId, word, takesMs: 100 });
      await batch.send(em, 'fleet', { requestId: 'req-1', tenantId });
    });
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(words.map(() => 'completed'));
    const notes = await bench.sql<{ word: string; pid: number }>(
      'select word, pid from fleet.note where tenant_id = $1',
      [tenantId],
    );
    expect(new Set(notes.map(({ pid }) => pid)).size).toBe(2);
    expect(notes.map(({ word }) => word).toSorted((a, b) => a.localeCompare(b))).toEqual(
      words.flatMap((word) => [word, `${word} done`]).toSorted((a, b) => a.localeCompare(b)),
    );
  }, 120_000);

  test('that stop finish what they have begun, and leave to others what takes too long', async () => {
    const tenantId = newTenant();
    const runner = await bench.run([noteJobs(bench.database)]);
    await bench.enqueue(writeNote, { tenantId, word: 'short', takesMs: 300 });
    await expect.poll(async () => bench.notes(tenantId), { timeout: 30_000 }).toEqual(['short']);
    await runner.stop();
    expect(await bench.notes(tenantId)).toEqual(['short', 'short done']);
    await expect.poll(async () => bench.states(tenantId), patience).toEqual(['completed']);

    const hasty = await bench.run([noteJobs(bench.database)], { stopWithinMs: 200 });
    await bench.enqueue(writeNote, { tenantId, word: 'long', takesMs: 2_000 });
    await expect.poll(async () => bench.notes(tenantId), { timeout: 30_000 }).toContain('long');
    await hasty.stop();
    expect(await bench.states(tenantId)).toEqual(['completed', 'retry']);
  });

  test('that rest begin nothing more, and end what is under way as long as it takes', async () => {
    const tenantId = newTenant();
    const runner = await bench.run([noteJobs(bench.database)]);
    await bench.enqueue(writeNote, { tenantId, word: 'begun', takesMs: 1_000 });
    await expect.poll(async () => bench.notes(tenantId), { timeout: 30_000 }).toEqual(['begun']);
    const rested = runner.rest();
    await bench.enqueue(writeNote, { tenantId, word: 'too late', takesMs: 0 });
    await rested;
    expect(await bench.notes(tenantId)).toEqual(['begun', 'begun done']);
    await runner.stop();
    expect((await bench.states(tenantId)).toSorted()).toEqual(['completed', 'created']);
  });

  test('without jobs of their own connect to nothing', async () => {
    const idle = bench.run([], { connections: new Connections('postgres://nobody@127.0.0.1:1/none') });
    await expect(idle).resolves.toBeDefined();
  });
});
