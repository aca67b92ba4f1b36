import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import type { Mailer } from '#platform/mail.js';
import { OutboundError } from '#platform/outbound/errors.js';
import type { Outbound } from '#platform/outbound/outbound.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { deliverKind, type DeliverPayload } from './deliver.kind.js';
import { NotificationChannel } from './notification-channel.entity.js';
import { NotificationDelivery } from './notification-delivery.entity.js';
import { ChannelKind, DeliveryStatus } from './notification.kinds.js';
import { mailOf, type NotificationBody } from './notification.message.js';
import { nextAttemptAfter } from './retry.js';
import { webhookHeaders } from './webhook-signature.js';

export interface DeliverOptions {
  keyring: Keyring;
  outbound: Outbound;
  mailer: Mailer;
  publicUrl: string;
}

interface Result {
  statusCode: number | null;
  error: string | null;
  /** As the other end asks for it. */
  retryAfterSeconds?: number | undefined;
  /** The other end says that it is gone for good (410). */
  isGone?: boolean;
}

const webhookLimits = { timeoutMs: 15_000, maxBytes: 64 * 1024, maxRedirects: 0 };

/**
 * Makes one attempt at a delivery and notes how it went. A process that dies in between leaves it to be made again:
 * receivers tell repetitions by the `webhook-id`.
 */
export function deliverJob(options: DeliverOptions): JobDefinition<DeliverPayload> {
  return {
    ...deliverKind,
    async handle(step) {
      const { tenantId, deliveryId, attempts } = step.payload;
      const delivery = await step.em.findOne(
        NotificationDelivery,
        { tenantId, id: deliveryId },
        { populate: ['body'] },
      );
      if (delivery?.status !== DeliveryStatus.PENDING || delivery.attempts.length !== attempts) return;
      const channel = await step.em.findOne(NotificationChannel, { tenantId, id: delivery.channelId });
      const started = Date.now();
      const result = channel
        ? await send(options, channel, delivery, step)
        : { statusCode: null, error: 'The channel was deleted', isGone: true };
      await note(step, result, Date.now() - started);
    },
  };
}

async function send(
  options: DeliverOptions,
  channel: NotificationChannel,
  { id, body }: NotificationDelivery,
  { now, signal }: JobStep,
): Promise<Result> {
  if (channel.kind === ChannelKind.EMAIL) {
    const mail = mailOf(JSON.parse(body) as NotificationBody, options.publicUrl);
    return options.mailer.send({ to: channel.recipients.join(', '), ...mail }).then(
      () => ({ statusCode: null, error: null }),
      (error: unknown) => ({
        statusCode: null,
        error: error instanceof Error ? error.message : String(error),
      }),
    );
  }
  const headers = webhookHeaders({ id, at: now, body }, secretsOf(channel, options.keyring, now));
  try {
    const { status, headers: answered } = await options.outbound.fetch(channel.url ?? '', {
      ...webhookLimits,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal,
    });
    const isTaken = status >= 200 && status < 300;
    return {
      statusCode: status,
      error: isTaken ? null : `Answered ${status}`,
      retryAfterSeconds: Number(answered.get('retry-after') ?? 0) || 0,
      isGone: status === 410,
    };
  } catch (error) {
    if (error instanceof OutboundError) return { statusCode: null, error: error.message };
    throw error;
  }
}

function secretsOf(channel: NotificationChannel, keyring: Keyring, now: Date): string[] {
  const { id, sealedSecret, sealedPreviousSecret, previousSecretUntil } = channel;
  const isInTransition = previousSecretUntil !== null && previousSecretUntil > now;
  return [sealedSecret, isInTransition ? sealedPreviousSecret : null]
    .filter((sealed) => sealed !== null)
    .map((sealed) => keyring.open(sealed, id));
}

async function note(step: JobStep<DeliverPayload>, result: Result, durationMs: number): Promise<void> {
  const { tenantId, deliveryId, attempts } = step.payload;
  const { statusCode, error, isGone = false, retryAfterSeconds } = result;
  const { now } = step;
  await step.write(async ({ em }) => {
    const delivery = await em.findOneOrFail(NotificationDelivery, { tenantId, id: deliveryId });
    if (delivery.attempts.length !== attempts) return;
    delivery.attempts = [...delivery.attempts, { at: now.toISOString(), statusCode, error, durationMs }];
    const next =
      error === null || isGone ? null : nextAttemptAfter(delivery.attempts.length, now, retryAfterSeconds);
    delivery.nextAttemptAt = next;
    if (next) return;
    delivery.status = error === null ? DeliveryStatus.DELIVERED : DeliveryStatus.FAILED;
    delivery.endedAt = now;
    if (!isGone) return;
    // The specification asks senders to leave those alone that answer 410.
    await em.nativeUpdate(
      NotificationChannel,
      { tenantId, id: delivery.channelId },
      { isEnabled: false, disabledReason: 'It answered 410 Gone' },
    );
  });
}
