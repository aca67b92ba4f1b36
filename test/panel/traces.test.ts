import { Writable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createLogger } from '#platform/logger.js';
import { shownText } from '#platform/telemetry/traced-query.js';
import { isTracing, traced } from '#platform/telemetry/tracing.js';

import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { modes, startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpan = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${callerSpan}-01`;

test('without an address for them there are no traces, and what would be traced runs as it is', async () => {
  await using _panel = await startTestPanel();
  expect(isTracing()).toBe(false);
  expect(await traced('anything', {}, async (span) => span)).toBeUndefined();
});

test('the text of a statement is shown without values and without what only opens its transaction', () => {
  const text =
    "set local role = 'fleet_app'; select a1 from t where b = 'it''s' and c = E'a\\'b' and d = 42.5 limit 10";
  expect(shownText(text)).toBe('select a1 from t where b = ? and c = ? and d = ? limit ?');
  expect(shownText(`insert into t values ('${'x'.repeat(10_000)}')`)).toBe('insert into t values (?');
});

describe.each(modes)('%s', (mode) => {
  let receiver: OtlpReceiver;
  let panel: TestPanel;
  let tenant: Tenant;
  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    panel = await startTestPanel({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, NODE_NAME: 'panel-7' }, mode);
    tenant = await panel.world.tenant();
    await tenant.node('traced');
  });
  afterAll(async () => {
    await panel.stop();
    await receiver[Symbol.asyncDispose]();
  });

  async function spansOf(
    path: string,
    isEnough: (spans: ReceivedSpan[]) => boolean,
  ): Promise<ReceivedSpan[]> {
    const { status } = await panel.world.rest(path, { token: tenant.token, headers: { traceparent } });
    expect(status).toBe(200);
    await expect.poll(() => isEnough(receiver.of(traceId)), { timeout: 60_000 }).toBe(true);
    return receiver.of(traceId);
  }
  const isSql = ({ attributes, name }: ReceivedSpan) =>
    attributes['db.system.name'] === 'postgresql' && name === 'SELECT';

  test('one trace leads from the request through gateway and subgraph to each statement', async () => {
    const spans = await spansOf(
      '/api/fleet/instances',
      (all) => all.some(isSql) && all.some(({ parentId }) => parentId === callerSpan),
    );
    const statement = spans.find(
      (span) => isSql(span) && /\binstance\b/.test(span.attributes['db.query.text']!),
    );
    const names = receiver.ancestry(statement!).map(({ name }) => name);
    expect(names[0]).toBe('SELECT');
    const beyondTheBorder = mode === 'split' ? ['POST /graphql'] : [];
    expect(names.slice(-3 - beyondTheBorder.length)).toEqual([
      ...beyondTheBorder,
      'subgraph fleet',
      expect.stringMatching(/^graphql \w+$/),
      'GET /api/fleet',
    ]);
    const root = spans.find(({ parentId }) => parentId === callerSpan)!;
    expect(root).toMatchObject({
      name: 'GET /api/fleet',
      kind: 2,
      failed: false,
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/api/fleet/instances',
        'http.response.status_code': '200',
      },
    });
    expect(root.service).toMatch(/^quazzar-/);
  });

  test('values of statements, names of tenants and tokens are in no trace', async () => {
    const text = JSON.stringify(receiver.spans);
    for (const secret of [tenant.id, tenant.token, tenant.account.email, tenant.account.password])
      expect(text).not.toContain(secret);
  });
});

test('what was traced by panels that have stopped is traced no more', () => {
  expect(isTracing()).toBe(false);
});

test('lines of the log name the trace that they belong to', async () => {
  await using receiver = await OtlpReceiver.start();
  await using _panel = await startTestPanel({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const logger = createLogger('info', stream);
  const ids = await traced('a step', {}, async (span) => {
    logger.info('inside');
    return span!.spanContext();
  });
  logger.info('outside');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ msg: 'inside', trace_id: ids.traceId, span_id: ids.spanId });
  expect(lines[1]).not.toHaveProperty('trace_id');
});

test('a collector that is away takes nothing from anybody', async () => {
  await using panel = await startTestPanel({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  const tenant = await panel.world.tenant();
  expect((await panel.world.rest('/api/fleet/instances', { token: tenant.token })).status).toBe(200);
});
