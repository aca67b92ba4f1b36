import { Writable } from 'node:stream';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createLogger } from '#platform/logger.js';
import { shownText } from '#platform/telemetry/traced-query.js';
import { isTracing, traced } from '#platform/telemetry/tracing.js';

import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import {
  createTestDatabase,
  modes,
  startTestPanel,
  testSecretsKey,
  type TestPanel,
} from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { ordinaryBeat, type Tenant } from '../support/world.js';

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
  const isStatement = ({ attributes }: ReceivedSpan) => attributes['db.system.name'] === 'postgresql';
  const isSql = (span: ReceivedSpan) => isStatement(span) && span.name === 'SELECT';

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

  test('the trace goes on in what other areas do about it', async () => {
    const administrator = await panel.world.administrator();
    const own = 'c'.repeat(32);
    const query = 'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }';
    const granted = await panel.world.rest('/graphql', {
      token: administrator,
      headers: { traceparent: `00-${own}-${callerSpan}-01` },
      body: { query, variables: { input: { tenantId: tenant.id, plan: 'PRO' } } },
    });
    expect(granted.status).toBe(200);
    const handled = () =>
      receiver
        .of(own)
        .find(
          (span) =>
            span.name === 'event billing.entitlement.granted' && span.attributes['quazzar.area'] === 'fleet',
        );
    await expect.poll(handled, { timeout: 60_000 }).toBeDefined();
    const isPartOf = (span: ReceivedSpan) =>
      receiver.ancestry(span).some(({ spanId }) => spanId === handled()!.spanId);
    await expect
      .poll(() => receiver.of(own).some((span) => isStatement(span) && isPartOf(span)), { timeout: 60_000 })
      .toBe(true);
    expect(receiver.ancestry(handled()!).at(-1)).toMatchObject({
      name: 'POST /graphql',
      parentId: callerSpan,
    });
    expect(handled()).toMatchObject({
      failed: false,
      attributes: {
        'messaging.message.id': expect.stringMatching(/^evt_/) as unknown,
        'quazzar.request_id': granted.headers.get('x-request-id'),
      },
    });
  });

  test('the trace goes on in the jobs that were asked for', async () => {
    const own = 'd'.repeat(32);
    const asked = await panel.world.rest('/api/auth/password/forgot', {
      headers: { traceparent: `00-${own}-${callerSpan}-01` },
      body: { email: tenant.account.email },
    });
    expect(asked.status).toBe(204);
    const job = () => receiver.of(own).find(({ name }) => name === 'job identity.mail.send');
    await expect.poll(job, { timeout: 60_000 }).toBeDefined();
    await expect
      .poll(() => receiver.ancestry(job()!).at(-1), { timeout: 60_000 })
      .toMatchObject({ name: 'POST /api/auth', parentId: callerSpan });
  });

  test('what a beat tells of is in the trace of that beat, though it was stored with others', async () => {
    const [own, others] = ['e'.repeat(32), 'f'.repeat(32)];
    const nodes = [await tenant.node('first'), await tenant.node('second')];
    const answers = await Promise.all(
      nodes.map(async ({ credential }, at) =>
        panel.world.rest('/api/agent/heartbeat', {
          token: credential,
          headers: { traceparent: `00-${at === 0 ? others : own}-${callerSpan}-01` },
          body: { ...ordinaryBeat, version: '2.0.1' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const told = (trace: string) =>
      receiver.of(trace).filter(({ name }) => name === 'event fleet.facts.changed');
    await expect
      .poll(() => [told(own).length > 0, told(others).length > 0], { timeout: 60_000 })
      .toEqual([true, true]);
  });

  test('each run of a sweep is a trace of its own, with its statements', async () => {
    const sweep = () => receiver.spans.find(({ name }) => name === 'sweep fleet.alert.evaluate');
    await panel.clock.advance(6_000);
    await expect.poll(sweep, { timeout: 60_000 }).toMatchObject({ parentId: '', failed: false });
    const own = receiver.of(sweep()!.traceId);
    expect(own.filter(({ parentId }) => parentId === sweep()!.spanId).map(({ name }) => name)).toContain(
      'SELECT',
    );
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

test('what a consumer fails on is in the log under the trace in which the event was written', async () => {
  await using receiver = await OtlpReceiver.start();
  const database = await createTestDatabase();
  const running = new PanelProcess(await freePort(), {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  try {
    await running.ready();
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(
      `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, traceparent, occurred_at)
       values ('evt_broken', 'org_a', 'billing.entitlement.granted', 'org_a', '{"version": "no number"}', 'test', $1, now())`,
      [traceparent],
    );
    await owner.end();
    await expect
      .poll(() => receiver.of(traceId).some(({ failed }) => failed), { timeout: 60_000 })
      .toBe(true);
    const failed = running.output.split('\n').find((line) => line.includes('a background step failed'))!;
    expect(JSON.parse(failed)).toMatchObject({
      trace_id: traceId,
      step: expect.stringContaining('consumes identity') as unknown,
    });
    const span = receiver.of(traceId).find(({ spanId }) => failed.includes(spanId));
    expect(span).toMatchObject({
      name: 'event billing.entitlement.granted',
      parentId: callerSpan,
      failed: true,
    });
  } finally {
    await running.kill('SIGKILL');
    await database.drop();
  }
}, 120_000);

test('a collector that is away takes nothing from anybody', async () => {
  await using panel = await startTestPanel({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  const tenant = await panel.world.tenant();
  expect((await panel.world.rest('/api/fleet/instances', { token: tenant.token })).status).toBe(200);
});
