import { OutboundError } from '#platform/outbound/errors.js';
import type { Outbound } from '#platform/outbound/outbound.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { AttemptResult } from './attempt-result.js';
import { formerSecrets } from './former-secrets.js';
import type { NotificationChannel } from './notification-channel.entity.js';
import { webhookHeaders, type WebhookMessage } from './webhook-signature.js';

const limits = { timeoutMs: 15_000, maxBytes: 64 * 1024, maxRedirects: 0 };

export async function sendWebhook(
  { keyring, outbound }: { keyring: Keyring; outbound: Outbound },
  channel: NotificationChannel,
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const signed = webhookHeaders(message, secretsOf(channel, keyring, message.at));
  try {
    const { status, headers } = await outbound.fetch(channel.url ?? '', {
      ...limits,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signed },
      body: message.body,
      signal,
    });
    const isTaken = status >= 200 && status < 300;
    const isGone = status === 410;
    return {
      statusCode: status,
      error: isTaken ? null : `Answered ${status}`,
      retryAfterSeconds: Number(headers.get('retry-after') ?? 0) || 0,
      isFinal: isGone,
      isGone,
    };
  } catch (error) {
    if (error instanceof OutboundError) return { statusCode: null, error: error.message };
    throw error;
  }
}

function secretsOf(channel: NotificationChannel, keyring: Keyring, now: Date): string[] {
  const { id, sealedSecret } = channel;
  return [sealedSecret, ...formerSecrets(channel, now).map(({ sealed }) => sealed)]
    .filter((sealed) => sealed !== null)
    .map((sealed) => keyring.open(sealed, id));
}
