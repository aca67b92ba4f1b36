import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { noGroups } from '#subgraphs/governance/group/groups.loader.js';
import { toActive } from '#subgraphs/governance/result/active-policies.loader.js';
import { evaluate, metricsStaleAfterMs, staleAfterMs } from '#subgraphs/governance/result/evaluate.js';
import { compileRule } from '#subgraphs/governance/rule/compile.js';
import type { Rule } from '#subgraphs/governance/rule/rule.js';
import { scoreOf } from '#subgraphs/governance/score/formula.js';

const now = Date.parse('2026-01-31T12:00:00Z');

describe('one instance', () => {
  const policy = (id: string, severity: string, condition: string) =>
    toActive(
      {
        id,
        name: id,
        severity,
        enforcement: 'ADVISORY',
        appliesTo: 'all_instances',
        rule: { condition, operator: 'equals', value: true },
      },
      compileRule({ condition, operator: 'equals', value: true }),
      noGroups,
    );
  const policies = [
    policy('a', 'CRITICAL', 'backup.encryption'),
    policy('b', 'LOW', 'disk.encryption'),
    policy('c', 'HIGH', 'firewall.enabled'),
  ];
  const node = {
    id: 'inst_1',
    name: 'one',
    hostname: null,
    status: null,
    tags: [],
    offlineSince: null,
    metrics: {},
    metricsAt: null,
  };

  test('has unknown and exempt policies in neither part of its score', () => {
    const facts = { '': true, 'backup.encryption': false, 'disk.encryption': true };
    const found = evaluate({ ...node, facts }, policies, new Map(), now);
    expect(found).toMatchObject({ passed: 1, known: 5, applicable: 8, violations: 1, dueAt: null });
    expect(scoreOf(found)).toBe(20);
    const exempt = evaluate({ ...node, facts }, policies, new Map([['a inst_1', now + 1]]), now);
    expect(exempt).toMatchObject({
      passed: 1,
      known: 1,
      applicable: 4,
      violations: 0,
      dueAt: new Date(now + 1),
    });
    expect(scoreOf(exempt)).toBe(100);
    expect(scoreOf(evaluate({ ...node, facts: {} }, policies, new Map(), now))).toBeNull();
  });

  test('has a score of 100 only where all that is known holds', () => {
    expect(
      fc.check(
        fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (passed, failed) => {
          const score = scoreOf({ passed, known: passed + failed, applicable: 0 });
          return passed + failed === 0 ? score === null : (score === 100) === (failed === 0);
        }),
      ).failed,
    ).toBe(false);
  });

  test('is not believed once it has been silent for a day, but for what the panel knows', () => {
    const facts = { '': true, 'backup.encryption': true, 'cloud_os.version': '0.3.0' };
    const offlineSince = new Date(now);
    const before = evaluate({ ...node, facts, offlineSince }, policies, new Map(), now + staleAfterMs - 1);
    expect(before).toMatchObject({ passed: 4, known: 4, dueAt: new Date(now + staleAfterMs) });
    const after = evaluate({ ...node, facts, offlineSince }, policies, new Map(), now + staleAfterMs);
    expect(after).toMatchObject({ passed: 0, known: 0, applicable: 8, dueAt: null });
  });

  test('is never looked at again for an age that ends with the calendar', () => {
    const rule: Rule = { condition: 'custom.x', operator: 'newer_than', value: '2d' };
    const recent = toActive(
      { id: 'r', name: 'r', severity: 'LOW', enforcement: 'ADVISORY', appliesTo: 'all_instances', rule },
      compileRule(rule),
      noGroups,
    );
    const dueAt = (time: string) =>
      evaluate({ ...node, facts: { '': true, 'custom.x': time } }, [recent], new Map(), now).dueAt;
    expect(dueAt('9999-12-29T23:59:59Z')?.toISOString()).toBe('9999-12-31T23:59:59.001Z');
    for (const time of ['9999-12-31T23:59:59Z', '+275760-09-13T00:00:00.000Z'])
      expect(dueAt(time)).toBeNull();
  });

  test('is judged by what it measured for a quarter of an hour, and is looked at again when that is over', () => {
    const rule: Rule = { condition: 'metrics.cpu.avg_1h', operator: 'lte', value: 80 };
    const busy = toActive(
      { id: 'm', name: 'm', severity: 'LOW', enforcement: 'ADVISORY', appliesTo: 'all_instances', rule },
      compileRule(rule),
      noGroups,
    );
    const measured = {
      ...node,
      facts: { '': true },
      metrics: { 'metrics.cpu.avg_1h': 91 },
      metricsAt: new Date(now),
    };
    const end = now + metricsStaleAfterMs;
    expect(evaluate(measured, [busy], new Map(), end - 1)).toMatchObject({
      violations: 1,
      dueAt: new Date(end),
      results: [{ status: 'FAIL', evidence: { actual: 91 } }],
    });
    expect(evaluate(measured, [busy], new Map(), end)).toMatchObject({
      violations: 0,
      dueAt: null,
      results: [{ status: 'UNKNOWN', evidence: { actual: null } }],
    });
  });
});
