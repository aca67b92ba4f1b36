import { hostname } from 'node:os';

import type { Logger } from '../logger.js';
import { traceBy } from './tracing.js';

export interface TracingOptions {
  /** Of a collector, for OTLP over HTTP; without it there are no traces, and nothing of this is loaded. */
  endpoint: string | undefined;
  /** The share of traces that is kept, from 0 to 1. */
  ratio: number;
  /** What this process is: `panel`, `gateway`, `fleet` ... */
  service: string;
  nodeName: string;
  logger: Logger;
}

const stopWithinMs = 1_500;
/** Processes of tests run several panels, which share one way out. */
let users = 0;
let shared: Promise<() => Promise<void>> | undefined;

/** Begins to send traces, and answers how to end it: what was not sent yet is sent then. */
export async function startTracing(options: TracingOptions): Promise<() => Promise<void>> {
  if (options.endpoint === undefined) return async () => undefined;
  shared ??= begin({ ...options, endpoint: options.endpoint });
  users += 1;
  const end = await shared;
  let isEnded = false;
  return async () => {
    if (isEnded) return;
    isEnded = true;
    users -= 1;
    if (users > 0) return;
    shared = undefined;
    await end();
  };
}

async function begin({ endpoint, ratio, service, nodeName, logger }: TracingOptions & { endpoint: string }) {
  const [api, sdk, contexts, core, resources, exporters] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  const exporter = new exporters.OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: 5_000,
  });
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': `quazzar-${service}`,
      'service.namespace': 'quazzar',
      'service.instance.id': nodeName,
      'host.name': hostname(),
      'process.pid': process.pid,
    }),
    // By the trace's id alone: all processes decide alike, and no caller from outside decides for us.
    sampler: new sdk.TraceIdRatioBasedSampler(ratio),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: 4_096,
        maxExportBatchSize: 512,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: 5_000,
      }),
    ],
  });
  // A collector that is away is told of once in a while, by the log's own count of repetitions.
  api.diag.setLogger(
    {
      error: (message) => logger.warn({ told: message }, 'Traces could not be sent'),
      warn: () => undefined,
      info: () => undefined,
      debug: () => undefined,
      verbose: () => undefined,
    },
    { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  api.context.setGlobalContextManager(new contexts.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  traceBy(provider.getTracer('quazzar-control-panel'));
  return async () => {
    traceBy(undefined);
    const over = new Promise((resolve) => setTimeout(resolve, stopWithinMs).unref());
    await Promise.race([provider.shutdown().catch(() => undefined), over]);
    api.trace.disable();
    api.context.disable();
    api.propagation.disable();
    api.diag.disable();
  };
}
