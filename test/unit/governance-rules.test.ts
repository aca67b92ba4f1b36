import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { checkRule } from '#subgraphs/governance/rule/check.js';
import { compileRule, type Verdict } from '#subgraphs/governance/rule/compile.js';
import { comparers, combiners, type Rule } from '#subgraphs/governance/rule/rule.js';
import { compareVersions, parseVersion } from '#subgraphs/governance/rule/version.js';

const now = Date.parse('2026-01-31T12:00:00Z');
const words = ['PASS', 'FAIL', 'UNKNOWN'] as const;
const verdictOf = (rule: unknown, facts: Record<string, unknown>) => {
  const checked = checkRule(rule, 'rule');
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults));
  return words[compileRule(checked.rule).test({ '': true, ...facts }, now)];
};
const faultsOf = (rule: unknown) => {
  const checked = checkRule(rule, 'rule');
  return 'faults' in checked ? checked.faults : {};
};

describe('a comparison', () => {
  test.for([
    ['backup.encryption', 'equals', true, true, 'PASS'],
    ['backup.encryption', 'not_equals', true, true, 'FAIL'],
    ['backup.encryption', 'equals', true, 'true', 'UNKNOWN'],
    ['backup.encryption', 'equals', true, undefined, 'UNKNOWN'],
    ['backup.encryption', 'exists', true, undefined, 'FAIL'],
    ['backup.encryption', 'exists', false, undefined, 'PASS'],
    ['arch', 'in', ['x64', 'arm64'], 'arm64', 'PASS'],
    ['arch', 'not_in', ['x64', 'arm64'], 'mips', 'PASS'],
    ['apps.count', 'lte', 3, 3, 'PASS'],
    ['apps.count', 'gt', 3, 3, 'FAIL'],
    ['apps.count', 'gt', 3, Number.NaN, 'FAIL'],
    ['apps.installed', 'contains', 'mail', ['web', 'mail'], 'PASS'],
    ['apps.installed', 'contains', 'mail', ['webmail'], 'FAIL'],
    ['os.name', 'contains', 'Linux', 'Debian GNU/Linux', 'PASS'],
    ['os.name', 'matches', '(?i)^debian', 'Debian GNU/Linux', 'PASS'],
    ['os.version', 'gte', '22.04', '22.10', 'PASS'],
    ['os.version', 'lt', '22.04', '9', 'PASS'],
    ['os.version', 'equals', '12', '12.0', 'PASS'],
    ['os.version', 'gte', '22.04', 'testing/unstable', 'UNKNOWN'],
    ['cloud_os.version', 'semver', '>=0.3.0', '0.4.0-rc.1', 'PASS'],
    ['cloud_os.version', 'semver', '^0.3.0', '0.4.0', 'FAIL'],
    ['os.version', 'semver', '>=22.4.0', '22.04', 'UNKNOWN'],
    ['backup.last_success', 'newer_than', '2d', '2026-01-29T12:00:00Z', 'PASS'],
    ['backup.last_success', 'newer_than', '2d', '2026-01-29T11:59:59Z', 'FAIL'],
    ['backup.last_success', 'older_than', '90s', '2026-01-31T11:59:00Z', 'FAIL'],
    ['backup.last_success', 'older_than', '1h', 'yesterday', 'UNKNOWN'],
    ['tls.certificate_expires_at', 'expires_after', '2w', '2026-02-14T12:00:00Z', 'PASS'],
    ['tls.certificate_expires_at', 'expires_after', '2w', '2026-02-14T11:59:59Z', 'FAIL'],
    ['custom.rack', 'equals', 7, 7, 'PASS'],
    ['custom.rack', 'equals', 7, '7', 'UNKNOWN'],
    ['custom.release', 'gte', '1.10', '1.9', 'FAIL'],
  ] as const)('%s %s %s, of %s: %s', ([condition, operator, value, actual, expected]) => {
    expect(verdictOf({ condition, operator, value }, { [condition]: actual })).toBe(expected);
  });

  test.for([
    ['22.04', '22.10', -1],
    ['6.1.0-18-amd64', '6.1.0-9-amd64', 0],
    ['v1.2.3', '1.2.3.0', 0],
    ['1.2.0-rc.1', '1.2.0', -1],
    ['1.2.0-rc.10', '1.2.0-rc.9', 1],
    ['1.10', '1.9', 1],
  ] as const)('puts the version %s before or after %s: %s', ([a, b, order]) => {
    expect(Math.sign(compareVersions(parseVersion(a)!, parseVersion(b)!))).toBe(order);
    expect(Math.sign(compareVersions(parseVersion(b)!, parseVersion(a)!))).toBe(order === 0 ? 0 : -order);
  });
});

describe('rules together', () => {
  const [yes, no, unknown] = [true, false, undefined].map((value, at) => ({
    rule: { condition: `custom.f${at}`, operator: 'equals', value: true },
    facts: { [`custom.f${at}`]: value },
  })) as [Part, Part, Part];
  interface Part {
    rule: object;
    facts: Record<string, unknown>;
  }
  test.for([
    ['all', [yes, yes], 'PASS'],
    ['all', [yes, unknown], 'UNKNOWN'],
    ['all', [unknown, no], 'FAIL'],
    ['any', [no, yes, unknown], 'PASS'],
    ['any', [no, unknown], 'UNKNOWN'],
    ['any', [no, no], 'FAIL'],
    ['none', [no, no], 'PASS'],
    ['none', [unknown, yes], 'FAIL'],
    ['none', [no, unknown], 'UNKNOWN'],
  ] as const)('%s of %j: %s', ([operator, parts, expected]) => {
    const facts = Object.assign({}, ...parts.map((part) => part.facts)) as Record<string, unknown>;
    expect(verdictOf({ operator, value: parts.map(({ rule }) => rule) }, facts)).toBe(expected);
  });

  test('name the comparison that decided', () => {
    const rule: Rule = {
      operator: 'none',
      value: [
        { condition: 'ssh.root_login', operator: 'equals', value: true },
        { operator: 'all', value: [{ condition: 'ssh.password_login', operator: 'equals', value: true }] },
      ],
    };
    const facts = { 'ssh.root_login': false, 'ssh.password_login': true };
    expect(compileRule(rule).explain(facts, now)).toEqual({
      condition: 'ssh.password_login',
      operator: 'equals',
      expected: true,
      actual: true,
    });
  });
});

const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, maxDepth: 4 });
const path = fc.constantFrom(
  'backup.encryption',
  'apps.count',
  'os.name',
  'os.version',
  'backup.last_success',
  'apps.installed',
  'custom.x',
);
/** Rules that are right, so that not all of them are refused. */
const comparison = fc.constantFrom(
  ...(
    [
      ['backup.encryption', 'equals', true],
      ['apps.count', 'gte', 3],
      ['os.name', 'matches', '(a|b)+$'],
      ['os.name', 'contains', 'x'],
      ['os.version', 'lt', '22.04'],
      ['os.version', 'semver', '^1.2'],
      ['backup.last_success', 'newer_than', '24h'],
      ['apps.installed', 'contains', 'x'],
      ['custom.x', 'in', [1, 'a', true]],
      ['custom.x', 'exists', false],
    ] as const
  ).map(([condition, operator, value]) => ({ condition, operator, value })),
);
const { rule: anyRule } = fc.letrec<{ rule: unknown }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 5 },
    { weight: 20, arbitrary: comparison },
    {
      weight: 1,
      arbitrary: fc.record({
        condition: path,
        operator: fc.constantFrom(...comparers),
        value: fc.oneof(
          fc.constantFrom(true, 3, '1.2.3', '24h', 'a+', ['x64'], [1, 2]),
          fc.string(),
          fc.double(),
        ),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        operator: fc.constantFrom(...combiners),
        value: fc.array(tie('rule'), { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 1, arbitrary: anything },
  ),
}));

describe('the evaluator', () => {
  test('never throws, whatever rule is written and whatever is known', { timeout: 120_000 }, () => {
    let judged = 0;
    fc.assert(
      fc.property(anyRule, fc.dictionary(path, anything), fc.double(), (rule, facts, at) => {
        const checked = checkRule(rule, 'rule');
        if ('faults' in checked) {
          return Object.keys(checked.faults).every((place) => place.startsWith('rule'));
        }
        judged += 1;
        const compiled = compileRule(checked.rule);
        const verdict: Verdict = compiled.test(facts, at);
        // The same again after a way through JSON: a rule is kept in the database.
        const kept = compileRule(JSON.parse(JSON.stringify(checked.rule)) as Rule).test(facts, at);
        const isNamed = compiled.explain(facts, at).condition !== '';
        return isNamed && kept === verdict && typeof compiled.turnsAt(facts, at) === 'number';
      }),
      { numRuns: 3_000 },
    );
    expect(judged).toBeGreaterThan(500);
  });

  test(
    'tells when a rule turns: nothing is different a moment before, and it is then',
    { timeout: 120_000 },
    () => {
      const operators = fc.constantFrom('older_than', 'newer_than', 'expires_after');
      expect(
        fc.check(
          fc.property(
            operators,
            fc.integer({ min: 1, max: 60 }),
            fc.integer({ min: -100, max: 100 }),
            (operator, days, off) => {
              const time = new Date(now + off * 3_600_000).toISOString();
              const rule = { condition: 'custom.at', operator, value: `${days}d` };
              const compiled = compileRule(rule as Rule);
              const facts = { 'custom.at': time };
              const at = compiled.turnsAt(facts, now);
              const before = compiled.test(facts, now);
              if (at === Infinity) return compiled.test(facts, now + 200 * 86_400_000) === before;
              return compiled.test(facts, at - 1) === before && compiled.test(facts, at) !== before;
            },
          ),
        ).failed,
      ).toBe(false);
    },
  );

  test('takes no longer for a pattern that makes others backtrack', () => {
    const rule = { condition: 'os.name', operator: 'matches', value: '^(a+)+$' };
    const started = process.cpuUsage();
    expect(verdictOf(rule, { 'os.name': `${'a'.repeat(900)}!` })).toBe('FAIL');
    const { user } = process.cpuUsage(started);
    expect(user / 1_000).toBeLessThan(500);
  });

  test('refuses what is too deep, too wide or goes round in circles, and tells the place', () => {
    const leaf = { condition: 'arch', operator: 'equals', value: 'x64' };
    let deep: object = leaf;
    for (let level = 0; level < 10_000; level += 1) deep = { operator: 'all', value: [deep] };
    const at = `rule${'.value.0'.repeat(10)}`;
    expect(faultsOf(deep)).toEqual({ [at]: 'Rules must not be nested deeper than 10 levels' });
    const circle: { operator: string; value: object[] } = { operator: 'any', value: [] };
    circle.value.push(circle);
    expect(faultsOf(circle)).toEqual({ [at]: 'Rules must not be nested deeper than 10 levels' });
    const wide = { operator: 'all', value: Array(101).fill(leaf) as object[] };
    expect(faultsOf(wide)).toEqual({ 'rule.value': 'At most 100 comparisons in a policy' });
    const many = {
      operator: 'all',
      value: Array(60).fill({ operator: 'all', value: [leaf, leaf] }) as object[],
    };
    expect(faultsOf(many)).toEqual({ 'rule.value.50.value.0': 'At most 100 comparisons in a policy' });
    expect(faultsOf({ ...leaf, value: 'x'.repeat(501) })).toEqual({ 'rule.value': 'At most 500 characters' });
  });
});
