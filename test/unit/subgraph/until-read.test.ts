import { expect, test } from 'vitest';

import { EventReader, endIfUntold } from '#platform/subgraph/until-read.js';

const away = [{ extensions: { code: 'UNAVAILABLE', reason: 'DATABASE_AWAY' } }];
const nothing = { data: null, errors: away };
const part = { data: { a: 1, b: null }, errors: away };
const whole = { data: { a: 1, b: 2 } };
const quick = { nothing: 600, part: 150, pause: 10, longestPause: 100 };
const stays = new AbortController().signal;

type Answer = Parameters<typeof endIfUntold>[0];

/** Answers these in turn, and then the last one for ever. */
function source(...answers: Answer[]) {
  const asked = { times: 0 };
  const attempt = async (): Promise<Answer> => {
    asked.times += 1;
    return answers[Math.min(asked.times, answers.length) - 1]!;
  };
  return { asked, attempt };
}

test('what is away is read again until it is back, and nothing else is', async () => {
  const reader = new EventReader(stays, quick);
  const { asked, attempt } = source(nothing, part, whole);
  expect(await reader.read(attempt)).toBe(whole);
  expect(asked.times).toBe(3);
  const refused = { data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] };
  const other = source(refused);
  expect(await reader.read(other.attempt)).toBe(refused);
  expect(other.asked.times).toBe(1);
});

test('pauses grow, and end in the words that make a client resume', async () => {
  const { asked, attempt } = source(nothing);
  const told = await new EventReader(stays, quick).read(attempt);
  // Pauses of at least 5, 10, 20, 40, and from then on 50 ms.
  expect(asked.times).toBeGreaterThan(3);
  expect(asked.times).toBeLessThanOrEqual(16);
  expect(() => endIfUntold(told)).toThrow(
    expect.objectContaining({
      extensions: { code: 'UNAVAILABLE', reason: 'EVENT_UNREAD', retryAfterSeconds: 5 },
    }),
  );
});

test('what is away in part is waited for less long, and told without that part', async () => {
  const { attempt } = source(part);
  const begun = performance.now();
  const told = await new EventReader(stays, quick).read(attempt);
  expect(told).toBe(part);
  expect(performance.now() - begun).toBeLessThan(quick.nothing);
  endIfUntold(told);
});

test.each([
  ['part', part],
  ['nothing', { data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] }],
] as const)(
  'once %s was waited for in vain, it is read once, until an event was read whole',
  async (_, lacking) => {
    const reader = new EventReader(stays, quick);
    const times = async (...answers: Answer[]) => {
      const { asked, attempt } = source(...answers);
      await reader.read(attempt);
      return asked.times;
    };
    expect(await times(lacking)).toBeGreaterThan(1);
    expect(await times(lacking)).toBe(1);
    expect(await times(whole)).toBe(1);
    expect(await times(lacking, whole)).toBe(2);
  },
);

test('a part that was waited for in vain keeps no event from waiting of which nothing can be read', async () => {
  const reader = new EventReader(stays, quick);
  await reader.read(source(part).attempt);
  expect(await reader.read(source(nothing, whole).attempt)).toBe(whole);
});

test('an event that is UNAVAILABLE although the database answers ends no stream: it may be so for ever', () => {
  expect(() => endIfUntold({ data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })).not.toThrow();
});

test('nothing is read for whoever has left', async () => {
  const left = new AbortController();
  const { asked, attempt } = source(nothing);
  const patient = { ...quick, nothing: 60_000, pause: 20_000 };
  const told = new EventReader(left.signal, patient).read(attempt);
  left.abort();
  expect(await told).toBe(nothing);
  expect(asked.times).toBe(1);
});
