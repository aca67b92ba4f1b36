import express from 'express';
import pg from 'pg';
import type Stripe from 'stripe';

import { freePort, type Stage } from './stage.js';

/** What one would write by hand: Express, the signature, one row. Nothing is applied. */
export async function startPlainWebhooks(
  stage: Stage,
  stripe: Stripe,
  secret: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  await stage.sql(
    'create table bench_webhook (event_id text primary key, type text, received_at timestamptz)',
  );
  const pool = new pg.Pool({ connectionString: stage.ownerUrl, max: 12 });
  const app = express();
  app.post(
    '/webhooks/stripe',
    express.raw({ type: () => true, limit: '512kb' }),
    async (request, response) => {
      const event = stripe.webhooks.constructEvent(
        request.body as Buffer,
        String(request.headers['stripe-signature']),
        secret,
      );
      await pool.query('insert into bench_webhook values ($1, $2, now()) on conflict do nothing', [
        event.id,
        event.type,
      ]);
      response.status(200).json({ received: true });
    },
  );
  const port = await freePort();
  const server = app.listen(port, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}
