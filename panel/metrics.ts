import { createHash, timingSafeEqual } from 'node:crypto';

import { Router, type RequestHandler } from 'express';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

import { requestContextOf } from '#gateway/request-context.js';

/** Who may read the metrics: whoever has the token, or else programs on this machine. */
export interface MetricsAccess {
  token?: string | undefined;
  /** One-machine mode: what comes from the loopback interface comes from the operator. */
  isLoopbackTrusted: boolean;
}

export interface Metrics {
  /** Counts and times every request that passes. */
  measure: RequestHandler;
  /** GET /metrics in the Prometheus text format. */
  router: Router;
}

/** Metrics of this process for Prometheus: Node's own, and requests by transport and status. */
export function createMetrics(access: MetricsAccess): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'panel_http_request_duration_seconds',
    help: 'Time to answer an HTTP request.',
    labelNames: ['transport', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });

  const router = Router();
  router.get('/metrics', async (request, response) => {
    const { authorization, clientAddress } = requestContextOf(response);
    // A proxy on this machine makes the whole world come from loopback.
    const isProxied = proxyHeaders.some((name) => request.headers[name] !== undefined);
    if (!isAllowed(access, authorization, isProxied ? undefined : clientAddress)) {
      // As if it were not there: that a panel has metrics is nobody else's business.
      response.status(404).json({ error: 'Not found' });
      return;
    }
    response.type(registry.contentType).send(await registry.metrics());
  });

  return {
    router,
    measure: (request, response, next) => {
      const stop = requests.startTimer();
      const transport = transportOf(request.path);
      response.once('finish', () => {
        stop({ transport, method: request.method, status: String(response.statusCode) });
      });
      next();
    },
  };
}

const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

function isAllowed(
  access: MetricsAccess,
  authorization: string | undefined,
  clientAddress: string | undefined,
): boolean {
  if (access.token !== undefined) return isSame(authorization ?? '', `Bearer ${access.token}`);
  return access.isLoopbackTrusted && clientAddress !== undefined && /^(127\.|::1$)/.test(clientAddress);
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function transportOf(path: string): string {
  if (path.startsWith('/graphql')) return 'graphql';
  return path.startsWith('/api') ? 'rest' : 'other';
}
