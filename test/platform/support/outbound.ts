import { afterEach } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { OutboundError, type OutboundReason } from '#platform/outbound/errors.js';
import { createOutbound, type Outbound, type OutboundOptions } from '#platform/outbound/outbound.js';

import { secureTest } from './certificate.js';
import { startLoopback, type Loopback } from './loopback.js';

const leftovers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(leftovers.splice(0).map(async (stop) => stop()));
});

/** A client that takes every name for this machine, and may talk to it; gone after the test. */
export function outboundWith(options: Partial<OutboundOptions> = {}): Outbound {
  const outbound = createOutbound({
    allowPrivateTargets: ['127.0.0.1'],
    timeoutMs: 5_000,
    maxBytes: 64 * 1024,
    maxRedirects: 3,
    resolve: async () => ['127.0.0.1'],
    tls: { ca: secureTest.cert },
    logger: silentLogger,
    ...options,
  });
  leftovers.push(async () => outbound.close());
  return outbound;
}

/** A loopback server that is gone after the test. */
export async function serve(...args: Parameters<typeof startLoopback>): Promise<Loopback> {
  const server = await startLoopback(...args);
  leftovers.push(async () => server[Symbol.asyncDispose]());
  return server;
}

export function serveText(text: string): Parameters<typeof startLoopback>[0] {
  return (_request, response) => void response.end(text);
}

export async function failure(work: Promise<unknown>): Promise<{ reason: OutboundReason; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof OutboundError) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error('the request was answered');
}
