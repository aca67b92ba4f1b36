import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { assetPath } from '#platform/package-root.js';

const folder = assetPath('deploy', 'observability');
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
  return { status, words: `${stdout}${stderr}` };
};
const isThere = spawnSync('promtool', ['--version']).status === 0;
// In CI a missing promtool is a failure; elsewhere its tests are left out, which the report says.
const isTried = isThere || process.env['CI'] !== undefined;

describe.skipIf(!isTried)('by promtool of Debian’s package prometheus', () => {
  test.each([
    ['the configuration of Prometheus is one', ['check', 'config', '--syntax-only', 'prometheus.yml']],
    ['each rule is one', ['check', 'rules', 'rules.yml']],
    ['alerts fire when they should, and not before', ['test', 'rules', 'rules.test.yml']],
  ])('%s', (_title, args) => {
    expect(run(...args)).toMatchObject({ status: 0 });
  });
});

test('the operators’ manual says of each alert what to do', () => {
  const { groups } = parse(readFileSync(`${folder}/rules.yml`, 'utf8')) as {
    groups: { rules: { alert?: string }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  const manual = readFileSync(assetPath('docs', 'operating.md'), 'utf8');
  const rows = manual.split('\n').filter((line) => line.startsWith('| `'));
  expect(alerts.length).toBeGreaterThan(20);
  expect(alerts.filter((alert) => !rows.some((row) => row.includes(`\`${alert}\``)))).toEqual([]);
});

interface Dashboard {
  uid: string;
  panels: {
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { expr: string }[];
  }[];
}
const dashboards = readdirSync(`${folder}/grafana/dashboards`).map(
  (name) => JSON.parse(readFileSync(`${folder}/grafana/dashboards/${name}`, 'utf8')) as Dashboard,
);

describe.skipIf(!isTried)('each question of a dashboard is one to Prometheus', () => {
  test.each(dashboards)('$uid', ({ panels }) => {
    const rules = panels.flatMap(({ targets }, at) =>
      targets.map(({ expr }, index) => ({ record: `asked:${at}_${index}`, expr })),
    );
    const file = join(mkdtempSync(join(tmpdir(), 'panel-rules-')), 'asked.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(run('check', 'rules', file)).toMatchObject({ status: 0 });
    rmSync(dirname(file), { recursive: true });
  });
});

test('each metric of the operators’ manual is drawn in a dashboard', () => {
  const manual = readFileSync(assetPath('docs', 'operating.md'), 'utf8');
  const rows = manual.split('\n').filter((line) => line.startsWith('| `panel_'));
  const names = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/panel_\w+/g)].map(String));
  const drawn = dashboards.flatMap(({ panels }) =>
    panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  );
  expect(names.length).toBeGreaterThan(25);
  expect(
    names.filter((name) => !drawn.some((expr) => new RegExp(`\\b${name}(_bucket|_count)?\\b`).test(expr))),
  ).toEqual([]);
});

test('no panel of a dashboard covers another one', () => {
  for (const { panels } of dashboards) {
    const places = panels.map(({ gridPos: { x, y } }) => `${x},${y}`);
    expect(new Set(places).size).toBe(places.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  }
});

test('the collector takes what panels send, and its pipelines are made of parts that there are', () => {
  type Parts = Record<string, unknown>;
  const collector = parse(readFileSync(`${folder}/otel-collector.yml`, 'utf8')) as Record<
    'receivers' | 'processors' | 'exporters',
    Parts
  > & { service: { pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>> } };
  expect(collector.receivers).toMatchObject({ otlp: { protocols: { http: { endpoint: '0.0.0.0:4318' } } } });
  for (const pipeline of Object.values(collector.service.pipelines))
    for (const kind of ['receivers', 'processors', 'exporters'] as const)
      for (const part of pipeline[kind]) expect(collector[kind]).toHaveProperty([part]);
});
