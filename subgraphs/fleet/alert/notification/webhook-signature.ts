import { createHmac, randomBytes } from 'node:crypto';

/**
 * Signatures of outgoing webhooks as the Standard Webhooks specification has them (version 1.0,
 * github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`, in base64 after `v1,`. While a secret is being changed there is a signature by each, with a
 * space in between; a receiver takes the message if any one fits.
 */
export interface WebhookMessage {
  /** The same at every attempt, for the receiver to tell repetitions by. */
  id: string;
  /** Of this attempt: receivers refuse old ones. */
  at: Date;
  body: string;
}

const prefix = 'whsec_';

/** A new signing secret: `whsec_` and 32 bytes in base64 (the specification asks for 24 to 64). */
export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/** The headers that go with a message, signed by each of the secrets. */
export function webhookHeaders(
  { id, at, body }: WebhookMessage,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const sign = (secret: string) =>
    createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64'))
      .update(`${id}.${timestamp}.${body}`)
      .digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${sign(secret)}`).join(' '),
  };
}
