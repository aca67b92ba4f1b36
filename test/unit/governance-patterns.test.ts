import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';

import { checkRule } from '#subgraphs/governance/rule/check.js';
import { compileRule, type Verdict } from '#subgraphs/governance/rule/compile.js';
import { patternLimits, weightOf } from '#subgraphs/governance/rule/pattern.js';
import type { Rule } from '#subgraphs/governance/rule/rule.js';

const matches = (value: string) => ({ condition: 'os.name', operator: 'matches', value });
const faultsOf = (rule: unknown) => {
  const checked = checkRule(rule, 'input.rule');
  return 'faults' in checked ? checked.faults : {};
};
const tooLarge = 'This pattern cannot be used: it repeats too much too often';

describe('a pattern', () => {
  test('that comes to more than 2000 instructions is refused at its place, and one below is not', () => {
    expect(faultsOf(matches('(ab){499}'))).toEqual({});
    expect(faultsOf(matches('(ab){500}'))).toEqual({ 'input.rule.value': tooLarge });
    expect(faultsOf({ operator: 'any', value: [matches('ok'), matches('a{0,1000}')] })).toEqual({
      'input.rule.value.1.value': tooLarge,
    });
  });

  test('is refused before it is compiled where what it repeats is long, however it is nested', () => {
    for (const pattern of [
      `(${'a'.repeat(20)}){400}`,
      '((abcd){20}){50}',
      '(\\pL\\pN){250}',
      '(([a-z]x?){9}){99}',
    ]) {
      expect(weightOf(pattern)).toBeGreaterThan(patternLimits.weight);
      expect(faultsOf(matches(pattern))).toEqual({ 'input.rule.value': tooLarge });
    }
  });

  test('and the others of its rule are refused together, at the first that is too much', () => {
    const each = matches('(ab){300}');
    const many = weightOf(each.value);
    const fit = Math.floor(patternLimits.weight / many);
    const rule = (count: number) => ({ operator: 'all', value: Array<object>(count).fill(each) });
    expect(faultsOf(rule(fit))).toEqual({});
    expect(faultsOf(rule(fit + 1))).toEqual({
      [`input.rule.value.${fit}.value`]:
        'The patterns of the rule are too large together: make them fewer or shorter',
    });
  });

  test('of a rule that was kept before is unknown where it is too large now', () => {
    const verdict: Verdict = compileRule(matches('(ab){1000}') as Rule).test(
      { 'os.name': 'ab'.repeat(1000) },
      0,
    );
    expect(verdict).toBe(2);
  });

  test('is looked for in each text anew', () => {
    const { test: found } = compileRule(matches('^(deb|ub)') as Rule);
    const names = ['', 'debian', 'debian', 'fedora', 'ubuntu', ''];
    expect(names.map((name) => found({ 'os.name': name }, 0))).toEqual([1, 0, 0, 1, 0, 1]);
  });

  test('as people write them is taken', () => {
    const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
    for (const pattern of [
      `^${octet}(\\.${octet}){3}$`,
      '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}',
      '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$',
      '(?i)^(ubuntu|debian) \\pL{1,40}$',
      '\\x{1F600}|\\Q{1000}\\E',
    ])
      expect([pattern, faultsOf(matches(pattern))]).toEqual([pattern, {}]);
  });

  test('never comes to more than what is told of it without compiling it', { timeout: 120_000 }, () => {
    const { pattern } = fc.letrec<{ pattern: string; piece: string; atom: string; count: string }>((tie) => ({
      pattern: fc.array(tie('piece'), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
      piece: fc.tuple(tie('atom'), tie('count')).map((both) => both.join('')),
      atom: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          'a',
          '\\d',
          '[^b-y]',
          '[]{9}]',
          '\\pL',
          '\\Q(\\E',
          '\\b',
          'é',
          '|',
          '()',
          '\\{',
          '(?i)k',
        ),
        tie('pattern').map((inner) => `(${inner})`),
        tie('pattern').map((inner) => `(?:${inner})`),
      ),
      count: fc.constantFrom('', '', '?', '*', '+?', '{3}', '{0,4}', '{2,}', '{5}?'),
    }));
    let compiled = 0;
    fc.assert(
      fc.property(pattern, (source) => {
        if (weightOf(source) > patternLimits.weight) return;
        let size: number;
        try {
          size = RE2JS.compile(source).programSize();
        } catch {
          return;
        }
        compiled += 1;
        expect(size).toBeLessThanOrEqual(weightOf(source));
      }),
      { numRuns: 500 },
    );
    expect(compiled).toBeGreaterThan(100);
  });
});
