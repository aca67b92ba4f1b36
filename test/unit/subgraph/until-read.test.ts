import { expect, test } from 'vitest';

import { endIfUntold, untilRead } from '#platform/subgraph/until-read.js';

const away = [{ extensions: { code: 'UNAVAILABLE' } }];
const nothing = { data: null, errors: away };
const quick = { nothing: 600, part: 150, pause: 10, longestPause: 100 };
const stays = new AbortController().signal;

type Answer = Parameters<typeof endIfUntold>[0];

/** Answers these in turn, and then the last one for ever. */
function source(...answers: Answer[]) {
  const asked: boolean[] = [];
  const read = async (isFirst: boolean): Promise<Answer> => {
    asked.push(isFirst);
    return answers[Math.min(asked.length, answers.length) - 1]!;
  };
  return { asked, read };
}

test('what is away is read again until it is back, and nothing else is', async () => {
  const whole = { data: { a: 1 } };
  const { asked, read } = source(nothing, { data: { a: null }, errors: away }, whole);
  expect(await untilRead(read, stays, quick)).toBe(whole);
  expect(asked).toEqual([true, false, false]);
  const refused = { data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] };
  const other = source(refused);
  expect(await untilRead(other.read, stays, quick)).toBe(refused);
  expect(other.asked).toEqual([true]);
});

test('pauses grow, and end in the words that make a client resume', async () => {
  const { asked, read } = source(nothing);
  const told = await untilRead(read, stays, quick);
  // Pauses of at least 5, 10, 20, 40, and from then on 50 ms.
  expect(asked.length).toBeGreaterThan(3);
  expect(asked.length).toBeLessThanOrEqual(16);
  expect(() => endIfUntold(told)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
});

test('what is away in part is waited for less long, and told without that part', async () => {
  const part = { data: { a: 1, b: null }, errors: away };
  const { read } = source(part);
  const begun = performance.now();
  const told = await untilRead(read, stays, quick);
  expect(told).toBe(part);
  expect(performance.now() - begun).toBeLessThan(quick.nothing);
  endIfUntold(told);
});

test('nothing is read for whoever has left', async () => {
  const left = new AbortController();
  const { asked, read } = source(nothing);
  const patient = { ...quick, nothing: 60_000, pause: 20_000 };
  const told = untilRead(read, left.signal, patient);
  left.abort();
  expect(await told).toBe(nothing);
  expect(asked).toEqual([true]);
});
