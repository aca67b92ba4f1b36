import { Router } from 'express';
import { Pool } from 'undici';

import { requestContextOf } from '#gateway/request-context.js';
import { isUndone } from '#gateway/unavailable.js';
import { gatewayTokenHeader } from '#platform/auth/service-token.js';
import { outcomeUnknown } from '#platform/errors.js';
import { traceHeaders } from '#platform/telemetry/tracing.js';

// Of the connection, not of the message (RFC 9110, section 7.6.1).
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
]);

/** Hands requests under these paths, as they came, to a subgraph that serves routes which are not GraphQL. */
export function createProxy(
  target: string,
  paths: readonly string[],
  gatewayToken: () => Promise<string>,
): Router {
  const pool = new Pool(target, { connections: 32, connect: { timeout: 2_000 }, headersTimeout: 10_000 });
  const router = Router();
  router.use([...paths], async (request, response) => {
    const { requestId, clientAddress } = requestContextOf(response);
    const headers = Object.entries(request.headers).filter(([name]) => !hopByHop.has(name));
    try {
      const answer = await pool.request({
        path: request.originalUrl,
        method: request.method as 'GET',
        headers: {
          ...Object.fromEntries(headers),
          'x-request-id': requestId,
          ...traceHeaders(),
          'x-forwarded-for': clientAddress,
          [gatewayTokenHeader]: await gatewayToken(),
        },
        body: request.method === 'GET' || request.method === 'HEAD' ? null : request,
      });
      response.status(answer.statusCode);
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !hopByHop.has(name)) response.setHeader(name, value);
      }
      answer.body.on('error', () => response.destroy());
      answer.body.pipe(response);
    } catch (error) {
      if (response.headersSent) return;
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (isRead || isUndone(error))
        response.status(503).setHeader('Retry-After', '2').json({ error: 'Unavailable' });
      else response.status(502).json({ error: outcomeUnknown(error).message });
    }
  });
  return router;
}
