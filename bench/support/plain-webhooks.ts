import express from 'express';
import pg from 'pg';
import Stripe from 'stripe';

// What one would write by hand: Express, the signature, one row. Nothing is applied. A process of its own, so that its CPU
// time is its own: started by webhook-peer.ts.
const { DATABASE_URL: connectionString, WEBHOOK_SECRET: secret = '', PORT: port } = process.env;
const pool = new pg.Pool({ connectionString, max: 12 });
await pool.query(
  'create table bench_webhook (event_id text primary key, type text, received_at timestamptz)',
);
const app = express();
app.disable('x-powered-by');
app.post('/webhooks/stripe', express.raw({ type: () => true, limit: '512kb' }), async (request, response) => {
  const event = Stripe.webhooks.constructEvent(
    request.body as Buffer,
    String(request.headers['stripe-signature']),
    secret,
  );
  await pool.query('insert into bench_webhook values ($1, $2, now()) on conflict do nothing', [
    event.id,
    event.type,
  ]);
  response.status(200).json({ received: true });
});
const server = app.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => void pool.end());
  process.disconnect();
});
