import { describe, expect, test } from 'vitest';

import { analyse, type Reading, type Sample } from '#subgraphs/governance/canary/analysis.js';

const from = '2026-11-29T10:00:00.000Z';
const later = '2026-11-29T10:05:00.000Z';
const limits = { maxRisePercent: 20, maxScoreDrop: 5 };

const well = (memoryPercent: number | null, more: Partial<Reading> = {}): Reading => ({
  status: 'HEALTHY',
  cpuPercent: 10,
  memoryPercent,
  score: 90,
  ...more,
});

function sample(before: Reading | null, now: Reading, more: Partial<Sample> = {}): Sample {
  return {
    before,
    now: { ...now, lastSeen: later, statusSince: null, alerts: [] },
    since: from,
    wellSince: from,
    isOver: false,
    isOverdue: false,
    isOfStep: true,
    ...more,
  };
}

const still = (memoryPercent: number) => sample(well(memoryPercent), well(memoryPercent));
const others = Array.from({ length: 7 }, () => still(37));
const verdictOf = (touched: Sample[], untouched: Sample[], name: string) =>
  analyse(touched, untouched, from, limits).checks.find((check) => check.name === name);

describe('an analysis', () => {
  test('passes where nothing has changed, however much more those that have the command always had', () => {
    expect(analyse([still(67)], others, from, limits).verdict).toBe('PASS');
    expect(verdictOf([still(67)], others, 'memory')).toMatchObject({ measured: 0, reference: 0 });
  });

  test('fails what rises by more than the limit beyond the others, from however little it began', () => {
    const risen = sample(well(10), well(31));
    expect(verdictOf([risen], others, 'memory')).toMatchObject({ verdict: 'FAIL', measured: 21 });
    expect(verdictOf([sample(well(10), well(30))], others, 'memory')?.verdict).toBe('PASS');
    expect(verdictOf([risen], [], 'memory')).toMatchObject({ verdict: 'FAIL', reference: null });
  });

  test('takes from it what happens to all of them, up and down', () => {
    const all = Array.from({ length: 7 }, () => sample(well(30), well(60)));
    expect(verdictOf([sample(well(60), well(95))], all, 'memory')).toMatchObject({
      verdict: 'PASS',
      measured: 35,
      reference: 30,
    });
    const calmer = Array.from({ length: 7 }, () => sample(well(60), well(35)));
    expect(verdictOf([still(60)], calmer, 'memory')?.verdict).toBe('FAIL');
  });

  test('counts of means only what was read over the same time, and of the others only what is new', () => {
    const earlier = sample(well(10), well(90), { isOfStep: false });
    expect(verdictOf([earlier, still(40)], others, 'memory')).toMatchObject({ verdict: 'PASS', measured: 0 });
    const silent = sample(well(10), well(90), { since: later });
    expect(verdictOf([still(40)], [silent, still(40)], 'memory')).toMatchObject({ reference: 0 });
    expect(verdictOf([sample(null, well(90))], others, 'memory')?.verdict).toBe('SKIPPED');
    expect(verdictOf([sample(well(null), well(null))], others, 'memory')?.verdict).toBe('INCONCLUSIVE');
  });

  test('is inconclusive while one has not beaten since, and where the others are as badly off', () => {
    const unheard = analyse([sample(well(40), well(40), { wellSince: later })], others, from, limits);
    expect(unheard.verdict).toBe('INCONCLUSIVE');
    // What it said before it fell silent is harm all the same.
    const harmed = analyse([sample(well(40), well(80), { wellSince: later })], others, from, limits);
    expect(harmed.verdict).toBe('FAIL');
    const down = sample(well(40), well(40, { status: 'OFFLINE' }));
    expect(verdictOf([down], [down], 'health')?.verdict).toBe('INCONCLUSIVE');
    expect(verdictOf([down], others, 'health')?.verdict).toBe('FAIL');
  });

  test('counts alerts of both over the same time', () => {
    const alerting = (at: string) => {
      const each = still(40);
      return { ...each, now: { ...each.now!, alerts: [{ startedAt: at, clearSince: null }] } };
    };
    expect(verdictOf([alerting('2026-11-29T10:01:00Z')], others, 'alerts')?.verdict).toBe('FAIL');
    expect(verdictOf([alerting('2026-11-29T09:59:00Z')], others, 'alerts')?.verdict).toBe('PASS');
    const both = verdictOf([alerting('2026-11-29T10:01:00Z')], [alerting('2026-11-29T10:00:01Z')], 'alerts');
    expect(both?.verdict).toBe('INCONCLUSIVE');
  });

  describe('of what began while the command was under way', () => {
    const [meanwhile, ended, over] = ['2026-11-29T10:01:00Z', '2026-11-29T10:02:00Z', '2026-11-29T10:04:00Z'];
    const baking = { since: ended, wellSince: ended };
    const atEnd = { since: ended, wellSince: over, isOver: true };
    const alerting = (more: Partial<Sample>, clearSince: string | null = null, startedAt = meanwhile) => {
      const each = sample(well(40), well(40), more);
      return { ...each, now: { ...each.now!, alerts: [{ startedAt, clearSince }] } };
    };
    const being = (status: Reading['status'], statusSince: string, more: Partial<Sample>) => {
      const each = sample(well(40), well(40, { status }), more);
      return { ...each, now: { ...each.now!, statusSince } };
    };
    const verdict = (each: Sample) => analyse([each], others, from, limits).verdict;
    const unheard = (each: Sample): Sample => ({ ...each, now: { ...each.now!, lastSeen: meanwhile } });

    test('an alert counts at the end alone, and only where it goes on then', () => {
      expect(verdict(alerting(baking))).toBe('PASS');
      expect(verdict(alerting(atEnd))).toBe('FAIL');
      expect(verdict(alerting(atEnd, over))).toBe('PASS');
      expect(verdict(unheard(alerting(atEnd)))).toBe('INCONCLUSIVE');
      // What began after it counts at once, and though it clears.
      expect(verdict(alerting(baking, over, '2026-11-29T10:03:00Z'))).toBe('FAIL');
    });

    test('trouble counts at the end alone, by a beat after it; what began after the command at once', () => {
      expect(verdict(being('DEGRADED', meanwhile, baking))).toBe('PASS');
      expect(verdict(being('DEGRADED', meanwhile, atEnd))).toBe('FAIL');
      expect(verdict(unheard(being('DEGRADED', meanwhile, atEnd)))).toBe('INCONCLUSIVE');
      expect(verdict(being('DEGRADED', '2026-11-29T10:03:00Z', baking))).toBe('FAIL');
    });

    test('silence counts once it has had the time to beat again, and never passes', () => {
      const silent = (more: Partial<Sample>) => unheard(being('OFFLINE', meanwhile, more));
      expect(verdict(silent(baking))).toBe('INCONCLUSIVE');
      expect(verdict(silent(atEnd))).toBe('INCONCLUSIVE');
      expect(verdict(silent({ ...atEnd, isOverdue: true }))).toBe('FAIL');
      expect(verdict(unheard(being('OFFLINE', '2026-11-29T10:03:00Z', baking)))).toBe('FAIL');
    });
  });
});
