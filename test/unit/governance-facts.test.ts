import { expect, test } from 'vitest';

import { flatten } from '#subgraphs/governance/fact/flatten.js';

test('facts come nested or dotted, and what nobody can ask about is left out', () => {
  const reported = {
    backup: { encryption: true, last_success: '2026-01-01T00:00:00Z', note: 'x' },
    'disk.encryption': false,
    apps: { count: 3, installed: ['a', 1, 'b'] },
    custom: { rack: { row: 7 }, empty: null },
    instance: { tags: ['x'] },
    cloud_os: { version: '9' },
    nothing: Number.POSITIVE_INFINITY,
  };
  expect(flatten(reported)).toEqual({
    'backup.encryption': true,
    'backup.last_success': '2026-01-01T00:00:00Z',
    'disk.encryption': false,
    'apps.count': 3,
    'apps.installed': ['a', 'b'],
    'custom.rack.row': 7,
  });
  for (const odd of [undefined, null, 7, 'x', [1]]) expect(flatten(odd)).toEqual({});
});

test('facts that are cut are text that can be kept', () => {
  const text = `${'a'.repeat(999)}😀`;
  expect(flatten({ custom: { motd: text, all: [text, '😀'] } })).toEqual({
    'custom.motd': 'a'.repeat(999),
    'custom.all': ['a'.repeat(999), '😀'],
  });
});
