import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createLogger } from '#platform/logger.js';
import { repetition } from '#platform/repeated-failures.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Entry = Record<'msg' | 'area' | 'requestId' | 'repeated', unknown> & { err?: { message: string } };

/** A logger, and the entries that it wrote since the last look. */
function logged() {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });
  const entries = () =>
    lines.splice(0).map((line) => {
      const { msg, area, requestId, repeated, err } = JSON.parse(line) as Entry;
      return [msg, area ?? requestId, err?.message, ...(repeated === undefined ? [] : [repeated])];
    });
  return { logger, entries };
}

const away = (port = 5432) => Object.assign(new Error(`connect to ${port}`), { code: 'ECONNREFUSED' });

test('a loop that fails each second for a day writes some dozens of lines, whose counts add up', () => {
  const { logger, entries } = logged();
  const seconds = 24 * 60 * 60;
  for (let second = 0; second < seconds; second += 1) {
    logger.warn({ err: away(second), area: 'fleet' }, 'the outbox could not be read');
    vi.advanceTimersByTime(1_000);
  }
  vi.advanceTimersByTime(repetition.longestMs);
  const written = entries();
  expect(written.length).toBeLessThan(120);
  const counts = written.map((entry) => (entry[3] as number | undefined) ?? 1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(seconds);
  expect(written.slice(0, 4)).toEqual([
    ...[0, 1, 2].map((second) => ['the outbox could not be read', 'fleet', `connect to ${second}`]),
    // What it says is the latest of them.
    ['the outbox could not be read', 'fleet', 'connect to 59', 57],
  ]);
});

test('requests that fail for the same reason are one kind; another place, message or reason is another', () => {
  const { logger, entries } = logged();
  const many = (entry: object, message: string) => {
    for (let turn = 0; turn < 10; turn += 1) logger.child({ id: turn }).error(entry, message);
    return entries().length;
  };
  expect([
    many({ err: away(), requestId: 'one' }, 'request failed'),
    many({ err: away(), requestId: 'two' }, 'request failed'),
    many({ err: away(), area: 'fleet' }, 'request failed'),
    many({ err: away() }, 'it failed'),
    many({ err: new TypeError('x of undefined') }, 'request failed'),
    many({ err: new Error('row 00f1 is gone') }, 'request failed'),
    many({ err: new Error('row 9c3e is gone') }, 'request failed'),
    // As libraries hand it on that copy an error's fields.
    many({ err: { code: 'ECONNREFUSED', message: 'copied' }, area: 'identity' }, 'request failed'),
  ]).toEqual([3, 0, 3, 3, 3, 3, 0, 3]);
});

test('after a while without it, a failure is news again', () => {
  const { logger, entries } = logged();
  const fail = () => logger.warn({ err: away() }, 'it failed');
  for (let turn = 0; turn < 5; turn += 1) fail();
  expect(entries()).toHaveLength(repetition.atOnce);
  vi.advanceTimersByTime(repetition.firstMs);
  expect(entries()).toEqual([['it failed', undefined, 'connect to 5432', 2]]);
  vi.advanceTimersByTime(2 * repetition.firstMs);
  fail();
  expect(entries()).toEqual([['it failed', undefined, 'connect to 5432']]);
});

test('what is no failure is never withheld', () => {
  const { logger, entries } = logged();
  for (let turn = 0; turn < 50; turn += 1) {
    logger.warn({ to: 'ann@example.com' }, 'this mail went nowhere but here');
    logger.info({ err: away() }, 'by the way');
  }
  expect(entries()).toHaveLength(100);
});
