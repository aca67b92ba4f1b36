import { on } from 'node:events';
import { pipeline } from 'node:stream/promises';

import { Router, type Request, type Response } from 'express';
import { Pool } from 'undici';

import { requestContextOf } from '#gateway/request-context.js';
import { isUndone } from '#gateway/unavailable.js';
import { gatewayTokenHeader } from '#platform/auth/service-token.js';
import { longestBody } from '#platform/client-data.js';
import { outcomeUnknown } from '#platform/errors.js';
import { Turns } from '#platform/membership/turns.js';
import { traceHeaders } from '#platform/telemetry/tracing.js';

// Of the connection, not of the message (RFC 9110, section 7.6.1); and `expect`, which was answered already.
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
  'expect',
]);

export interface ProxyOptions {
  /** How long a client may take to send its body. */
  bodyWithinMs?: number;
  /** How long the subgraph may take to answer. */
  answerWithinMs?: number;
}

/**
 * Hands requests under these paths, as they came, to a subgraph that serves routes which are not GraphQL. Whoever is slow
 * to send a body or to take an answer holds connections of its own, and nobody's turn.
 */
export function createProxy(
  target: string,
  paths: readonly string[],
  gatewayToken: () => Promise<string>,
  { bodyWithinMs = 10_000, answerWithinMs = 10_000 }: ProxyOptions = {},
): Router {
  const turns = new Turns(32, { waiting: 256, waitMs: answerWithinMs / 2 });
  const pool = new Pool(target, {
    connections: null,
    connect: { timeout: 2_000 },
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
  });
  const router = Router();
  router.use([...paths], async (request, response) => {
    const { requestId, clientAddress } = requestContextOf(response);
    const headers = Object.entries(request.headers).filter(([name]) => !hopByHop.has(name));
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const body = isRead ? null : await wholeBody(request, response, bodyWithinMs);
    try {
      const token = await gatewayToken();
      const answer = await turns.run(async () =>
        pool.request({
          path: request.originalUrl,
          method: request.method as 'GET',
          headers: {
            ...Object.fromEntries(headers),
            'x-request-id': requestId,
            ...traceHeaders(),
            'x-forwarded-for': clientAddress,
            [gatewayTokenHeader]: token,
          },
          body,
        }),
      );
      response.status(answer.statusCode);
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !hopByHop.has(name)) response.setHeader(name, value);
      }
      // Ends each of them where the other ends too early.
      await pipeline(answer.body, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) return;
      if (isRead || isUndone(error))
        response.status(503).setHeader('Retry-After', '2').json({ error: 'Unavailable' });
      else response.status(502).json({ error: outcomeUnknown(error).message });
    }
  });
  return router;
}

/** Bytes of all bodies that are being read: beyond that many only small ones are taken. */
const mostReading = 128 * 1024 * 1024;
const smallBody = 64 * 1024;
let reading = 0;

/** Read before anybody waits for its answer. */
async function wholeBody(request: Request, response: Response, withinMs: number): Promise<Buffer> {
  const late = AbortSignal.timeout(withinMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let wasTooMuch = false;
  const isTooMuch = () => bytes > longestBody || (bytes > smallBody && reading > mostReading);
  try {
    for await (const [chunk] of on(request, 'data', { signal: late, close: ['end'] }) as AsyncIterable<
      [Buffer]
    >) {
      bytes += chunk.length;
      reading += chunk.length;
      if (isTooMuch()) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unread(late.aborted ? 408 : 400, response, cause);
  } finally {
    wasTooMuch = isTooMuch();
    reading -= bytes;
  }
  if (wasTooMuch) throw unread(bytes > longestBody ? 413 : 503, response);
  return Buffer.concat(chunks, bytes);
}

/** What is left of the body is not read. */
function unread(status: number, response: Response, cause?: unknown): Error {
  response.setHeader('Connection', 'close');
  return Object.assign(new Error('The body could not be read', { cause }), { status });
}
