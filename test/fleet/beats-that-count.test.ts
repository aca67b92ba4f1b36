import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { ordinaryBeat, type Node, type Tenant } from '../support/world.js';
import { sent } from './commands/support/commands.js';
import { rowOf, samplesOf } from './support/stored.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

type Warnings = { field: string; message: string }[] | undefined;

const warningsOf = ({ body }: { body: Record<string, unknown> }) =>
  Object.fromEntries(((body['warnings'] as Warnings) ?? []).map(({ field, message }) => [field, message]));

interface Shown {
  status: string;
  statusReasons: { code: string; message: string }[];
  cpuPercent: number | null;
}

async function shown(tenant: Tenant, { id }: Node): Promise<Shown> {
  const answer = await tenant.graphql<{ instance: Shown }>(
    'query($id: ID!) { instance(id: $id) { status cpuPercent statusReasons { code message } } }',
    { id },
  );
  return dataOf(answer).instance;
}

test('what is out of range is stored as null and named, and the node is there all the same', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const at = panel.clock.now().toISOString();
  const answer = await node.beat({
    cpu_percent: 250,
    memory_percent: 'NaN',
    disk_percent: null,
    apps_count: 2 ** 40,
    cpu_cores: 1.5,
    memory_gb: -1,
    load_average: -0.5,
    net_rx_bytes: 18_446_744_073_709_551_615n.toString(),
    net_tx_bytes: 2 ** 60,
    uptime_seconds: { seconds: 5 },
    sequence: 1.5,
    samples: [
      { timestamp: at, cpu_percent: 1, memory_percent: 200, disk_percent: 3 },
      { timestamp: 'yesterday', cpu_percent: 1, memory_percent: 2, disk_percent: 3 },
      { cpu_percent: 1 },
    ],
  });
  expect([answer.status, warningsOf(answer)]).toEqual([
    200,
    {
      cpu_percent: 'CPU percent must be from 0 to 100; it was left out',
      memory_percent: 'Memory percent must be a number; it was left out',
      disk_percent: 'Disk percent was not told',
      apps_count: 'Apps count must be from 0 to 10000000; it was left out',
      cpu_cores: 'CPU cores must be a whole number; it was left out',
      memory_gb: 'Memory GB must be from 0 to 10000000; it was left out',
      load_average: 'Load average must be from 0 to 1000000; it was left out',
      net_rx_bytes: 'Net rx bytes must be a number; it was left out',
      net_tx_bytes: 'Net tx bytes must be from 0 to 9007199254740991; it was left out',
      uptime_seconds: 'Uptime seconds must be a number; it was left out',
      sequence: 'Sequence must be a whole number; it was left out',
      'samples.0.memory_percent': 'Memory percent must be from 0 to 100; it was left out',
      'samples.1.timestamp': 'Timestamp must be a time as in 2025-01-15T10:30:00Z; it was left out',
      'samples.2': 'A sample has a timestamp; it was left out',
    },
  ]);
  expect(await rowOf(panel, node)).toMatchObject({
    last_seen_at: panel.clock.now(),
    cpu_percent: null,
    memory_percent: null,
    disk_percent: null,
    apps_count: null,
    cpu_cores: null,
    memory_gb: null,
    load_average: null,
    net_rx_bytes: null,
    net_tx_bytes: null,
    uptime_seconds: null,
    sequence: null,
    version: ordinaryBeat.version,
  });
  const nothing = { net_rx_bytes: null, net_tx_bytes: null, load_average: null };
  expect(await samplesOf(panel, node)).toEqual([
    { at: panel.clock.now(), cpu_percent: null, memory_percent: null, disk_percent: null, ...nothing },
  ]);
  expect(await shown(tenant, node)).toMatchObject({
    status: 'DEGRADED',
    cpuPercent: null,
    statusReasons: [{ code: 'METRIC_INVALID', message: expect.stringMatching(/^CPU percent must be/) }],
  });
});

test('METRIC_INVALID is over after three beats in which all could be used', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const seen: string[] = [];
  for (const cpu of [100.4, 250, 10, 250, 10, 10, 10]) {
    await panel.clock.advance(30_000);
    expect((await node.beat({ cpu_percent: cpu })).status).toBe(200);
    const { status, cpuPercent, statusReasons } = await shown(tenant, node);
    seen.push(`${cpuPercent} ${status} ${statusReasons.map(({ code }) => code).join()}`.trim());
  }
  expect(seen).toEqual([
    '100 HEALTHY',
    'null DEGRADED METRIC_INVALID',
    '10 DEGRADED METRIC_INVALID',
    'null DEGRADED METRIC_INVALID',
    '10 DEGRADED METRIC_INVALID',
    '10 DEGRADED METRIC_INVALID',
    '10 HEALTHY',
  ]);
});

test('text that is too long is cut, what no database can hold is replaced, and what is left out is what was before', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ facts: { kept: true }, version: '0.2.8' });
  await panel.clock.advance(1_000);
  const answer = await node.beat({
    version: '',
    facts: { big: 'x'.repeat(33 * 1024) },
    health: [
      { component: 'proxy\0', status: 'unhealthy', message: `\uD800${'m'.repeat(600)}` },
      { component: 'backup', status: 'starting' },
      { component: '', status: 'healthy' },
      ...Array.from({ length: 60 }, (_, at) => ({ component: `c${at}`, status: 'HEALTHY' })),
    ],
  });
  expect([answer.status, warningsOf(answer)]).toEqual([
    200,
    {
      version: 'Version is empty; the one from before was kept',
      facts: 'Facts must have at most 32 kB of JSON; those from before were kept',
      health: 'At most 50 components; the others were left out',
      'health.0.message': 'Message must have at most 500 characters; it was cut',
      'health.1.status': 'Status must be healthy, degraded or unhealthy; it was taken as degraded',
      'health.2': 'A component has a name and a status; it was left out',
    },
  ]);
  const row = await rowOf(panel, node);
  const health = row['health'] as Record<string, unknown>[];
  expect({ version: row['version'], facts: row['facts'], count: health.length }).toEqual({
    version: '0.2.8',
    facts: { kept: true },
    count: 49,
  });
  expect(health.slice(0, 3)).toEqual([
    { component: 'proxy\uFFFD', status: 'UNHEALTHY', message: `\uFFFD${'m'.repeat(498)}…` },
    { component: 'backup', status: 'DEGRADED' },
    { component: 'c0', status: 'HEALTHY' },
  ]);
  await node.beat({ version: 'v'.repeat(65) });
  expect((await rowOf(panel, node))['version']).toBe(`${'v'.repeat(63)}…`);
});

test('a time in a leap second, or in lower case, tells the skew', async () => {
  const node = await (await panel.world.tenant()).node();
  for (const [text, seconds] of [
    [panel.clock.now().toISOString().toLowerCase(), 0],
    ['2016-12-31T23:59:60Z', (Date.parse('2017-01-01T00:00:00Z') - panel.clock.now().getTime()) / 1000],
  ] as const) {
    const answer = await node.beat({ sent_at: text });
    expect([warningsOf(answer), (await rowOf(panel, node))['clock_skew_seconds']]).toEqual([{}, seconds]);
  }
});

test('fields that only a newer agent knows are ignored and named, at any depth and in everything that nodes send', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const at = panel.clock.now().toISOString();
  const answer = await node.beat({
    gpu_percent: 5,
    health: [{ component: 'proxy', status: 'healthy', since: 'noon' }],
    samples: [{ timestamp: at, cpu_percent: 1, memory_percent: 1, disk_percent: 1, gpu_percent: 1 }],
  });
  const ignored = (name: string) => `"${name}" is not a known field; it was ignored`;
  expect([answer.status, warningsOf(answer)]).toEqual([
    200,
    {
      gpu_percent: ignored('gpu_percent'),
      'health.0.since': ignored('since'),
      'samples.0.gpu_percent': ignored('gpu_percent'),
    },
  ]);
  const enrolled = await panel.world.rest('/api/agent/enroll', {
    body: {
      token: await tenant.enrollmentToken(),
      name: 'new',
      hostname: 'new.example',
      version: `1.0.0-${'x'.repeat(80)}`,
      arch: 'riscv',
    },
  });
  expect([enrolled.status, warningsOf(enrolled)]).toEqual([
    201,
    { version: 'Version must have at most 64 characters; it was cut', arch: ignored('arch') },
  ]);
});

test('over GraphQL the warnings name fields as the schema has them', async () => {
  const node = await (await panel.world.tenant()).node();
  const answer = await panel.world.graphql<{ reportHeartbeat: { warnings: unknown } }>(
    `mutation { reportHeartbeat(input: { cpuPercent: 101.5, memoryPercent: 40, diskPercent: 30, appsCount: 3,
       cpuCores: 4, memoryGb: 16, version: "0.2.9" }) { warnings { field restField message } } }`,
    {},
    node.credential,
  );
  expect(dataOf(answer).reportHeartbeat.warnings).toEqual([
    {
      field: 'cpuPercent',
      restField: 'cpu_percent',
      message: 'CPU percent must be from 0 to 100; it was left out',
    },
  ]);
});

test('figures are kept and shown as people read them', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ net_rx_bytes: 0, net_tx_bytes: 0 });
  await panel.clock.advance(30_000);
  await node.beat({
    cpu_percent: 12.3456,
    memory_percent: 99.96,
    memory_gb: 15.5078,
    load_average: 0.7251,
    net_rx_bytes: 1_000,
    net_tx_bytes: 100,
    sent_at: new Date(panel.clock.now().getTime() + 1_234).toISOString(),
  });
  const { body } = await tenant.rest(`/api/fleet/metrics/${node.id}`);
  expect(body).toMatchObject({
    cpu_percent: 12.3,
    memory_percent: 100,
    net_rx_bytes_per_second: 33,
    net_tx_bytes_per_second: 3,
    load_average: 0.73,
  });
  const { instance } = dataOf(
    await tenant.graphql<{ instance: unknown }>(
      `query($id: ID!) { instance(id: $id) { cpuPercent memoryGb clockSkewSeconds
         metrics { netRxBytesPerSecond loadAverage } } }`,
      { id: node.id },
    ),
  );
  expect(instance).toEqual({
    cpuPercent: 12.3,
    memoryGb: 15.5,
    clockSkewSeconds: 1.2,
    metrics: { netRxBytesPerSecond: 33, loadAverage: 0.73 },
  });
});

const anything = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-1, 100.4, 2 ** 53, 2 ** 64, 1e308, null, true, 'NaN', '', '\0', '\uD800', [], {}),
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ maxDepth: 3 }),
);
const names = Object.keys(ordinaryBeat);
const optional = [
  'net_rx_bytes',
  'load_average',
  'uptime_seconds',
  'sequence',
  'sent_at',
  'facts',
  'novelty',
];
const field = (keys: readonly string[]) => fc.dictionary(fc.constantFrom(...keys), anything);
const beats = fc.record({
  required: fc.tuple(...names.map(() => anything)),
  more: field(optional),
  health: fc.array(field(['component', 'status', 'message', 'novelty']), { maxLength: 4 }),
  samples: fc.array(field(['timestamp', 'cpu_percent', 'net_tx_bytes', 'version', 'novelty']), {
    maxLength: 4,
  }),
});

test('any beat of the required shape counts, and brings the node what waits for it', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await fc.assert(
    fc.asyncProperty(beats, async ({ required, more, health, samples }) => {
      const command = await sent(tenant, [node]);
      await panel.clock.advance(1_000);
      const body = {
        ...Object.fromEntries(names.map((name, at) => [name, required[at] ?? null])),
        ...more,
        health,
        samples,
      };
      const answer = await panel.world.rest<{ commands: { id: string }[] }>('/api/agent/heartbeat', {
        token: node.credential,
        body,
      });
      expect([answer.status, answer.text]).toEqual([200, answer.text]);
      expect(answer.body.commands.map(({ id }) => id)).toContain(command);
      expect((await rowOf(panel, node))['last_seen_at']).toEqual(panel.clock.now());
    }),
    { numRuns: 30 },
  );
});
