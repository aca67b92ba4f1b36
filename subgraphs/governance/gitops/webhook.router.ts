import express, { Router } from 'express';

import type { Logger } from '#platform/logger.js';

import type { WebhookRefresh } from './webhook-refresh.job.js';
import { isSigned } from './webhook-signature.js';

/** GitHub sends at most 25 MB and most pushes are a few kB; nothing of it is read but its signature. */
const longestBody = '1mb';
/** The shape of an id, so that nothing else is looked for. */
const idShape = /^git_[0-9a-z]{26}$/;

/** Takes the webhooks of hosts of git. What they say is not believed: a good signature makes the panel look, no more. */
export function createGitOpsWebhookRouter(refresh: WebhookRefresh, logger: Logger): Router {
  const router = Router();
  router.post(
    '/webhooks/gitops/:id',
    express.raw({ type: () => true, limit: longestBody }),
    async (request, response) => {
      const { id } = request.params as { id: string };
      const body: unknown = request.body;
      const secret = idShape.test(id) ? await refresh.secretOf(id) : undefined;
      if (
        secret === undefined ||
        !isSigned(request.headers, Buffer.isBuffer(body) ? body : Buffer.alloc(0), secret)
      ) {
        logger.warn(
          { clientAddress: request.socket.remoteAddress, id },
          'a webhook without a good signature was refused',
        );
        response
          .status(401)
          .json({ error: 'There is no such webhook, or its signature is missing or wrong' });
        return;
      }
      await refresh.request(id);
      response.status(202).json({ received: true });
    },
  );
  return router;
}
