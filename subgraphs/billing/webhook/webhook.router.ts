import express, { Router } from 'express';
import type Stripe from 'stripe';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';

import { customerOf } from './customer-of.js';
import type { WebhookLedger } from './ledger.job.js';
import { verifiedEvent } from './signature.js';

/** More than Stripe's largest events, and little to hold for whoever else comes. */
const longestBody = '512kb';

export interface WebhookOptions {
  stripe: Stripe;
  ledger: WebhookLedger;
  secret: string;
  clock: Clock;
  logger: Logger;
  metrics?: Metrics | undefined;
}

/** Takes Stripe's webhooks: the signature is over the bytes as they came. What is answered 2xx is in the ledger. */
export function createWebhookRouter(options: WebhookOptions): Router {
  const { stripe, ledger, secret, clock, logger, metrics } = options;
  const count = metrics?.counter(
    'panel_stripe_webhooks_total',
    'Webhooks of Stripe by outcome: taken, known, not ours, or refused.',
    ['outcome'],
  );
  const router = Router();
  router.post(
    '/webhooks/stripe',
    express.raw({ type: () => true, limit: longestBody }),
    async (request, response) => {
      const body: unknown = request.body;
      const header = request.headers['stripe-signature'];
      const event =
        Buffer.isBuffer(body) && typeof header === 'string'
          ? verifiedEvent(stripe, { body, header, secret, now: clock.now() })
          : undefined;
      if (!event) {
        count?.({ outcome: 'refused' });
        logger.warn(
          { clientAddress: request.socket.remoteAddress },
          'a webhook without a good signature was refused',
        );
        response.status(400).json({ error: 'The signature is missing, wrong, or not of now' });
        return;
      }
      const outcome = await ledger.take(event, await customerOf(stripe, event));
      count?.({ outcome });
      logger.debug({ event: event.id, type: event.type, outcome }, 'a webhook came');
      response.status(200).json({ received: true });
    },
  );
  return router;
}
