import 'reflect-metadata';
import { describe, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { TargetGuard } from '#platform/outbound/guard.js';
import { parseAddress } from '#subgraphs/governance/gitops/git/address.js';
import { GitOpsAction, type GitOpsChange } from '#subgraphs/governance/gitops/gitops-change.types.js';
import { readManifest } from '#subgraphs/governance/gitops/manifest/read.js';
import { keyOf } from '#subgraphs/governance/gitops/manifest/resource.js';
import { hashOfTry } from '#subgraphs/governance/gitops/sync/refusals.js';

const policy = (name: string) => `apiVersion: v1
kind: Policy
metadata: {name: ${name}}
spec:
  rule: {condition: backup.encryption, operator: equals, value: true}
`;
const read = async (text: string, path = 'a.yaml') => readManifest([{ path, text }]);

const overrides = (...listed: string[]) =>
  `apiVersion: v1\nkind: AlertRuleOverrides\nmetadata: {name: cpu}\nspec:\n  overrides:\n${listed.map((one) => `  - {${one}}`).join('\n')}`;
const override = (group: string, priority: number, set: object) => ({
  group,
  priority,
  isEnabled: null,
  severity: null,
  threshold: null,
  forSeconds: null,
  keepFiringForSeconds: null,
  ...set,
});

describe('a manifest', () => {
  test('declares each kind, with what is left out as it is by default', async () => {
    const { resources, problems } = await read(`# a comment
${policy('Encrypted')}---
# nothing
---
apiVersion: v1
kind: AlertRule
metadata: {name: disk}
spec: {threshold: 90, for_seconds: 60}
---
apiVersion: v1
kind: AlertRuleOverrides
metadata: {name: disk}
spec:
  overrides:
    - {group: " Web Servers", priority: 5, threshold: 95, severity: critical}
    - {group: builders, enabled: false}
    - {group: others, keep_firing_for_seconds: 0}
---
apiVersion: v1
kind: InstanceGroup
metadata: {name: Two}
spec: {instance_ids: [b, a, b]}
---
apiVersion: v1
kind: DesiredVersion
metadata: {name: all}
spec: {version: "0.4.0", applies_to: {tags: [web]}}
`);
    expect(problems).toEqual([]);
    expect(resources).toEqual([
      {
        kind: 'Policy',
        name: 'Encrypted',
        place: { file: 'a.yaml', line: 2 },
        spec: {
          type: 'general',
          description: null,
          resolution: null,
          rule: { condition: 'backup.encryption', operator: 'equals', value: true },
          enforcement: 'ADVISORY',
          severity: 'MEDIUM',
          appliesTo: 'all_instances',
          remediation: null,
        },
      },
      {
        kind: 'AlertRule',
        name: 'DISK',
        place: { file: 'a.yaml', line: 10 },
        spec: { threshold: 90, forSeconds: 60 },
      },
      {
        kind: 'AlertRuleOverrides',
        name: 'DISK',
        place: { file: 'a.yaml', line: 15 },
        spec: {
          overrides: [
            override('web servers', 5, { threshold: 95, severity: 'CRITICAL' }),
            override('builders', 10, { isEnabled: false }),
            override('others', 20, { keepFiringForSeconds: 0 }),
          ],
        },
      },
      {
        kind: 'InstanceGroup',
        name: 'Two',
        place: { file: 'a.yaml', line: 24 },
        spec: { kind: 'STATIC', instanceIds: ['a', 'b'] },
      },
      {
        kind: 'DesiredVersion',
        name: 'all',
        place: { file: 'a.yaml', line: 29 },
        spec: {
          version: '0.4.0',
          steps: [
            { percent: 10, bakeSeconds: 600 },
            { percent: 50, bakeSeconds: 600 },
          ],
          appliesTo: { tags: ['web'] },
        },
      },
    ]);
  });

  test.each([
    [
      'an alias bomb',
      `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]`,
      /alias/,
      1,
    ],
    ['a key that is there twice', 'apiVersion: v1\napiVersion: v1', /^apiVersion is there twice$/, 2],
    ['nothing', '# nothing', /no YAML files that declare anything/, undefined],
    ['what there is not', 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}', /kind is one of/, 2],
    ['another version of it', policy('A').replace('v1', 'v2'), /^apiVersion is v1$/, 1],
    ['the same thing twice', `${policy('A')}---\n${policy('a')}`, /a Policy a already, in a\.yaml line 1/, 7],
    [
      'a number for a version',
      'apiVersion: v1\nkind: DesiredVersion\nmetadata: {name: a}\nspec:\n  version: 1.2',
      /put it in quotes/,
      5,
    ],
    [
      'groups by ids',
      `${policy('A')}  applies_to: {group_ids: [grp_1]}`,
      /^spec\.applies_to\.group_ids: A repository names groups by `groups`$/,
      6,
    ],
    ['no groups', `${policy('A')}  applies_to: {groups: []}`, /^spec\.applies_to\.groups: It is a list/, 6],
    ['a field of its own', `${policy('A')}  colour: red`, /^spec\.colour: A policy has no colour$/, 6],
    [
      'a fact there is not, deep inside',
      policy('A').replace(
        '{condition: backup.encryption',
        '\n    operator: all\n    value:\n    - {condition: no.such',
      ),
      /spec\.rule\.value\.0\.condition/,
      8,
    ],
    [
      'two overrides for one group',
      overrides('group: A, enabled: false', 'group: a, enabled: true'),
      /^spec\.overrides\.1\.group: There is an override for it above$/,
      7,
    ],
    [
      'a priority that is not above the one before it',
      overrides('group: a, enabled: false, priority: 20', 'group: b, enabled: true, priority: 20'),
      /^spec\.overrides\.1\.priority: It is above 20, that of the one before it$/,
      7,
    ],
    [
      'no place behind the last priority',
      overrides(
        'group: a, enabled: false, priority: 9995',
        'group: b, enabled: true',
        'group: c, enabled: true',
      ),
      /^spec\.overrides\.2\.priority: There is no multiple of ten behind 10000: write one$/,
      8,
    ],
    [
      'an override that says nothing',
      overrides('group: a'),
      /^spec\.overrides\.0\.enabled: It sets nothing/,
      6,
    ],
    [
      'more overrides than a rule may have',
      overrides(...Array.from({ length: 21 }, (_, at) => `group: g${at}, enabled: false`)),
      /^spec\.overrides: At most 20$/,
      6,
    ],
    ['a list', '- 1', /It is an object with apiVersion/, 1],
    ['keys that are no words', '? ? ? ? a\n: 1', /^A key is a plain word$/, 1],
    ['characters that are no text', policy('"a\\0b"'), /^It has characters that are no text/, 1],
    ['an anchor that is part of itself', 'a: &a [*a]', /./, undefined],
    ['text that is not YAML', 'a: [1, 2', /end with a \]/, 1],
  ])('that declares %s is refused at its line', async (_what, text, words, line) => {
    const { problems } = await read(text);
    expect(problems[0]?.message).toMatch(words);
    expect(problems[0]?.line ?? undefined).toBe(line);
  });

  test.each([
    ['a fact there is not', policy('A').replace('backup.encryption', `${'a'.repeat(99)}😀`)],
    [
      'a field of a rule that is none',
      policy('A').replace('{condition', `{${'a'.repeat(99)}😀: 1, condition`),
    ],
    ['an escape that is none', `a: "\\😀"`],
  ])('that declares %s with an emoji is refused by text that can be kept', async (_what, text) => {
    const { problems } = await read(text);
    expect(problems).not.toEqual([]);
    expect(problems.filter(({ message }) => !message.isWellFormed())).toEqual([]);
  });

  test('is read up to a bound that others can wait for, and tells of the first faults only', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, at) => `key${at}: value`).join('\n');
    expect((await read(keys(1_000))).problems).toHaveLength(5);
    for (const { text, line } of [
      { text: `${policy('A')}---\n${keys(8_000)}`, line: 1_435 },
      { text: '['.repeat(20_000), line: 1 },
      { text: `[${','.repeat(20_000)}]`, line: 1 },
      { text: '\n'.repeat(20_000), line: 10_001 },
    ])
      expect((await read(text)).problems).toEqual([
        { file: 'a.yaml', line, message: expect.stringMatching(/^A document has more than 10000 parts/) },
      ]);
    const many = Array.from({ length: 500 }, (_, at) => policy(`P${at}`)).join('---\n');
    expect(await read(many)).toMatchObject({ problems: [], resources: { length: 500 } });
    expect((await read('---\n'.repeat(5_000))).problems).toEqual([
      { message: expect.stringMatching(/^At most 1000 documents/) },
    ]);
    expect((await read('a: "\\q"\n---\n'.repeat(500))).problems).toHaveLength(50);
  });
});

describe('the address of a repository', () => {
  const guard = new TargetGuard({ allowPrivateTargets: [], logger: silentLogger });
  test.each([
    ['git@github.com:owner/name.git', 'ssh://git@github.com/owner/name.git', 'github.com', 22],
    ['ssh://git@example.com:2222/a/b', 'ssh://git@example.com:2222/a/b', 'example.com', 2222],
    ['https://example.com/a.git', 'https://example.com/a.git', 'example.com', 443],
    ['http://example.com:8080/a.git', 'http://example.com:8080/a.git', 'example.com', 8080],
  ])('%s is taken', (text, url, host, port) => {
    expect(parseAddress(guard, text)).toMatchObject({ url, host, port });
  });
  test.each([
    'file:///etc',
    'ext::sh -c true',
    '-oProxyCommand=x:y',
    'ssh://-oProxyCommand=x/y',
    'ssh://example.com/x',
    'ssh://git:secret@example.com/x',
    'ssh://git@example.com',
    'https://user@example.com/x',
    'ssh://git@example.com:25/x',
    'ssh://git@example.com%3A25/x',
    "ssh://git@a';b.example/x",
    'https://-a.example/x',
    '',
  ])('%s is refused', (text) => {
    expect(() => parseAddress(guard, text)).toThrow(/address|Port/);
  });
});

test('a try is the same whatever order its fields were kept in, and another one with another value', () => {
  const change = { action: GitOpsAction.UPDATE, kind: 'Policy', name: 'Encrypted' } as GitOpsChange;
  const hash = (rule: Record<string, unknown>) => {
    const place = { file: 'a.yaml', line: 1 };
    const declared = { kind: 'Policy' as const, name: 'Encrypted', spec: { rule }, place };
    return hashOfTry(change, new Map([[keyOf(declared), declared]]));
  };
  const rule = { condition: 'backup.encryption', operator: 'equals', value: true };
  expect(hash(Object.fromEntries(Object.entries(rule).toReversed()))).toBe(hash(rule));
  expect(hash({ ...rule, value: false })).not.toBe(hash(rule));
});
