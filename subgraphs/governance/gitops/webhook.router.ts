import express, { Router, type Request, type Response } from 'express';

import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import type { WebhookRefresh } from './webhook-refresh.job.js';
import { hasSignature, isSigned } from './webhook-signature.js';

/** GitHub sends at most 25 MB and most pushes are a few kB; nothing of it is read but its signature. */
const longestBody = '1mb';
/** The shape of an id, so that nothing else is looked for. */
const idShape = /^git_[0-9a-z]{26}$/;

/**
 * Takes the webhooks of hosts of git. What they say is not believed: a good signature makes the panel look, no more. Nothing
 * is asked of the database for who has signed nothing, and no body is read for a repository that there is not.
 */
export function createGitOpsWebhookRouter(refresh: WebhookRefresh, logger: Logger): Router {
  const router = Router();
  const refuse = (request: Request<{ id: string }>, response: Response) => {
    const { requestContext: client } = response.locals as { requestContext?: RequestContext };
    logger.warn(
      { clientAddress: client?.clientAddress, id: request.params.id },
      'a webhook without a good signature was refused',
    );
    // Of its body something may be unread.
    response
      .status(401)
      .setHeader('Connection', 'close')
      .json({ error: 'There is no such webhook, or its signature is missing or wrong' });
  };
  router.post(
    '/webhooks/gitops/:id',
    async (request: Request<{ id: string }>, response, next) => {
      const { id } = request.params;
      const mayBeKnown = idShape.test(id) && hasSignature(request.headers);
      const secret = mayBeKnown ? await refresh.secretOf(id) : undefined;
      if (secret === undefined) return refuse(request, response);
      response.locals['secret'] = secret;
      next();
    },
    express.raw({ type: () => true, limit: longestBody }),
    async (request: Request<{ id: string }>, response) => {
      const body: unknown = request.body;
      const secret = response.locals['secret'] as string;
      if (!isSigned(request.headers, Buffer.isBuffer(body) ? body : Buffer.alloc(0), secret))
        return refuse(request, response);
      await refresh.request(request.params.id);
      response.status(202).json({ received: true });
    },
  );
  return router;
}
