import { createHash, timingSafeEqual } from 'node:crypto';

import express, { Router, type RequestHandler } from 'express';

import { OperatorError } from '#platform/errors.js';
import { answerError } from '#platform/http-error.js';
import { createHttpServer } from '#platform/http-server.js';
import type { Logger } from '#platform/logger.js';
import { Metrics } from '#platform/metrics.js';

import type { AreaName } from './areas.js';
import type { PanelEnv } from './env.js';
import { panelVersion } from './version.js';

export interface MetricsOptions {
  env: Pick<PanelEnv, 'METRICS_TOKEN' | 'METRICS_PORT' | 'METRICS_HOST' | 'NODE_NAME' | 'PANEL_VERSION'>;
  /** What the process is: a whole panel, or one part of it. */
  process: 'panel' | 'gateway' | AreaName;
  /** The demo shows them to programs on this machine. Elsewhere a proxy makes the whole world come from there. */
  isDemo?: boolean | undefined;
  logger: Logger;
}

/** The metrics of one process, and the ways to them. */
export interface ServedMetrics {
  metrics: Metrics;
  /** Counts and times every request that passes. */
  measure: RequestHandler;
  /** GET /metrics on the port of everything else: for whoever has the token. To others it is not there. */
  router: Router;
  /** Serves them at METRICS_HOST and METRICS_PORT as well, when there is a port. */
  listen(): Promise<{ url: string | undefined; stop(): Promise<void> }>;
}

type Allowed = (request: express.Request) => boolean;

export function serveMetrics({ env, process, isDemo = false, logger }: MetricsOptions): ServedMetrics {
  const metrics = new Metrics().withProcess();
  const labels = { version: env.PANEL_VERSION ?? panelVersion, process, node_name: env.NODE_NAME };
  metrics.gauge(
    'panel_info',
    'Always 1: which version this process says it is, what it runs (panel, gateway, or the name of a subgraph), and its NODE_NAME.',
    Object.keys(labels),
    () => [{ labels, value: 1 }],
  );
  const { METRICS_TOKEN: token, METRICS_PORT: port, METRICS_HOST: host } = env;
  const hasToken: Allowed = ({ headers }) => isSame(headers.authorization ?? '', `Bearer ${String(token)}`);
  return {
    metrics,
    measure: measure(metrics),
    router: route(metrics, token === undefined ? (request) => isDemo && isOfThisMachine(request) : hasToken),
    listen: async () => {
      if (port === undefined) return { url: undefined, stop: async () => undefined };
      // A token counts wherever there is one: the address may be open to more than the scraper.
      const app = express().disable('x-powered-by');
      app.use(route(metrics, token === undefined ? () => true : hasToken));
      app.use((_request, response) => void response.status(404).json({ error: 'Not found' }));
      app.use(answerError(logger));
      const server = createHttpServer(app);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          const isTaken = error.code === 'EADDRINUSE';
          const told = `Port ${port} is in use. Stop what listens there, or set METRICS_PORT to another.`;
          reject(isTaken ? new OperatorError(told, { cause: error }) : error);
        });
        server.listen(port, host, resolve);
      });
      const address = server.address();
      const taken = typeof address === 'object' && address ? address.port : port;
      return {
        url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
        stop: async () => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          await closed;
        },
      };
    },
  };
}

/** Whether the process can serve requests, as GET /readyz says with reasons. */
export function measureReadiness(metrics: Metrics, problems: () => Promise<readonly string[]>): void {
  metrics.gauge(
    'panel_ready',
    '1 while requests can be served, else 0; GET /readyz says why.',
    [],
    async () => [{ value: (await problems()).length === 0 ? 1 : 0 }],
  );
}

function route(metrics: Metrics, isAllowed: Allowed): Router {
  const router = Router();
  router.get('/metrics', async (request, response) => {
    // As if it were not there: that a panel has metrics is nobody else's business.
    if (!isAllowed(request)) response.status(404).json({ error: 'Not found' });
    else response.type(metrics.contentType).send(await metrics.text());
  });
  return router;
}

function measure(metrics: Metrics): RequestHandler {
  const noteRequest = metrics.histogram(
    'panel_http_request_duration_seconds',
    'Time to answer an HTTP request.',
    ['transport', 'method', 'status'],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  );
  return (request, response, next) => {
    const begun = performance.now();
    const transport = transportOf(request.path);
    // It comes once.
    response.on('finish', () => {
      const { method } = request;
      const labels = { transport, method, status: String(response.statusCode) };
      noteRequest((performance.now() - begun) / 1000, labels);
    });
    next();
  };
}

const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

function isOfThisMachine({ headers, socket }: express.Request): boolean {
  if (proxyHeaders.some((name) => headers[name] !== undefined)) return false;
  return /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function transportOf(path: string): string {
  if (path.startsWith('/graphql')) return 'graphql';
  return path.startsWith('/api') ? 'rest' : 'other';
}
