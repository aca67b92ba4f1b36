import { expect, test } from 'vitest';

import { mendText } from '#platform/mended-text.js';
import {
  isHostName,
  isLooseHostName,
  normalAddress,
  normalHostName,
} from '#subgraphs/fleet/enrollment/host-name.js';
import { sequenceAfter, type SequenceState } from '#subgraphs/fleet/lifecycle/duplicate.js';
import { factsFault } from '#subgraphs/fleet/reported/facts.js';
import { timeOf } from '#subgraphs/fleet/reported/rfc3339.js';

test.each([
  ['2026-11-28T10:30:00Z', '2026-11-28T10:30:00.000Z'],
  ['2026-11-28t10:30:00.25z', '2026-11-28T10:30:00.250Z'],
  ['2026-11-28 10:30:00+05:30', '2026-11-28T05:00:00.000Z'],
  ['2026-11-28T10:30:00.123456789-01:00', '2026-11-28T11:30:00.123Z'],
  // The leap second of 2016, in two places of the world.
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2016-12-31T15:59:60.5-08:00', '2017-01-01T00:00:00.500Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
])('%s is understood as RFC 3339 has it', (text, instant) => {
  expect(timeOf(text)?.toISOString()).toBe(instant);
});

test.each([
  '2026-11-28',
  '2026-11-28T10:30:00',
  '2026-02-29T00:00:00Z',
  '2026-11-28T24:00:00Z',
  '2026-11-28T10:60:00Z',
  '2026-11-28T10:30:61Z',
  '2026-11-28T10:30:00+24:00',
  '',
  'now',
])('"%s" is no time', (text) => {
  expect(timeOf(text)).toBeUndefined();
});

test('text that no database can hold is mended wherever it is, and all else stays', () => {
  const data = {
    whole: 'ä 😀',
    cut: '\uD83D half',
    list: ['a\0b', { '\0name': 'x', same: 1, none: null }],
    ['__proto__x']: '\uDC00',
  };
  mendText(data);
  expect(data).toEqual({
    whole: 'ä 😀',
    cut: '\uFFFD half',
    list: ['a\uFFFDb', { '\uFFFDname': 'x', same: 1, none: null }],
    ['__proto__x']: '\uFFFD',
  });
});

test('however deep data is nested, it is mended and judged without exhausting the stack', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(5_000)}"\\u0000"${'}'.repeat(5_000)}`) as object;
  mendText(deep);
  expect(factsFault(deep)).toBe('Facts must not be nested deeper than 64 levels');
});

test.each([
  ['Node-1.Example.COM.', 'node-1.example.com', true],
  [' node-1 ', 'node-1', true],
  ['bücher.example', 'xn--bcher-kva.example', true],
  ['例え.テスト.', 'xn--r8jz45g.xn--zckzah', true],
  ['10.0.0.7', '10.0.0.7', true],
  ['rack_7.example', 'rack_7.example', false],
  ['-a.example', '-a.example', false],
  ['a..b', 'a..b', false],
])('the host name "%s" is taken as %s', (text, normal, isStrict) => {
  expect([normalHostName(text), isHostName(normal)]).toEqual([normal, isStrict]);
});

test('underscores make a loose host name, other signs none', () => {
  expect(['rack_7.example', '_a', 'a b', 'a/b', '-a_'].map(isLooseHostName)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test.each([
  [' https://node.example ', 'https://node.example'],
  ['https://node.example.:8443/os?a=1', 'https://node.example:8443/os?a=1'],
  ['https://bücher.example/pfad', 'https://xn--bcher-kva.example/pfad'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('the address %s is kept as %s', (text, normal) => {
  expect(normalAddress(text)).toBe(normal);
});

/** How often a count that had been left went on. */
function comings(sequences: readonly number[]): number {
  let state: SequenceState = { sequence: null, otherSequence: null, regressions: 0, regressedAt: null };
  for (const [at, sequence] of sequences.entries()) {
    state = sequenceAfter(state, sequence, { isSameBeat: false, now: new Date(at * 1000) });
  }
  return state.regressions;
}

test('two counts in turns are told from one that begins anew, whatever was lost on the way', () => {
  const restarts = (beats: readonly number[]) => Array.from({ length: 10 }, () => beats).flat();
  expect({
    'ten restarts from 0': comings(restarts([0, 1, 2, 3])),
    'ten restarts after one beat each': comings(restarts([1])),
    'ten restarts whose first beats were lost': comings(restarts([3, 4, 5, 9])),
    'ever longer runs': comings(Array.from({ length: 10 }, (_, run) => [...Array(run + 2).keys()]).flat()),
    'a backup that was put back': comings([100, 101, 50, 51, 52, 53]),
    'two far apart': comings([1000, 5, 1001, 6, 1002, 7]),
    'two close together': comings([100, 98, 101, 99, 102, 100]),
    'two in step': comings([100, 100, 101, 101, 102, 102]),
    'a copy that has just begun': comings([500, 0, 501, 1, 502, 2, 503]),
  }).toEqual({
    'ten restarts from 0': 0,
    'ten restarts after one beat each': 0,
    'ten restarts whose first beats were lost': 0,
    'ever longer runs': 0,
    'a backup that was put back': 0,
    'two far apart': 4,
    'two close together': 4,
    'two in step': 3,
    'a copy that has just begun': 5,
  });
});
