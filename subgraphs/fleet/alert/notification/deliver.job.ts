import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import { Room, type Share } from '#platform/jobs/room.js';
import type { Logger } from '#platform/logger.js';
import type { Mailer } from '#platform/mail.js';
import type { Outbound } from '#platform/outbound/outbound.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { Alert } from '../alert.entity.js';
import { AlertStatus } from '../alert.kinds.js';
import { givenUp, type AttemptResult } from './attempt-result.js';
import { crowdedMs, deliverKind, mostOfTenant, mostSilent, type DeliverPayload } from './deliver.kind.js';
import { NotificationChannel } from './notification-channel.entity.js';
import { NotificationDelivery } from './notification-delivery.entity.js';
import { ChannelKind, DeliveryStatus, NotificationType } from './notification.kinds.js';
import { isTooOld, nextAttemptAfter } from './retry.js';
import { sendMail } from './send-mail.service.js';
import { sendWebhook } from './send-webhook.js';
import { tryAgain } from './try-again.service.js';

export interface DeliverOptions {
  keyring: Keyring;
  outbound: Outbound;
  mailer: Mailer;
  publicUrl: string;
  logger: Logger;
}

/**
 * Makes one attempt at a delivery and notes how it went. A process that dies in between leaves it to be made again:
 * receivers tell repetitions by the `webhook-id`.
 */
export function deliverJob(options: DeliverOptions): JobDefinition<DeliverPayload> {
  const room = new Room();
  return {
    ...deliverKind,
    async handle(step) {
      const { tenantId, deliveryId } = step.payload;
      const delivery = await step.em.findOne(
        NotificationDelivery,
        { tenantId, id: deliveryId },
        { populate: ['body'] },
      );
      if (!delivery || !isMeant(delivery, step.payload)) return;
      const hasRoom = await room.run(sharesOf(delivery), async () => deliver(options, step, delivery));
      if (!hasRoom) await waitForRoom(step);
    },
  };
}

/** Not where somebody has taken it up since, or it is not due any more. A job of the version before says no time. */
function isMeant({ attempts, nextAttemptAt }: NotificationDelivery, job: DeliverPayload): boolean {
  if (!nextAttemptAt || attempts.length !== job.attempts) return false;
  return job.dueAt === undefined || nextAttemptAt.toISOString() === job.dueAt;
}

function sharesOf({ tenantId, attempts }: NotificationDelivery): readonly Share[] {
  const last = attempts.at(-1);
  const isSilent = last !== undefined && last.statusCode === null;
  return [{ of: tenantId, most: mostOfTenant }, ...(isSilent ? [{ of: 'silent', most: mostSilent }] : [])];
}

async function deliver(
  options: DeliverOptions,
  step: JobStep<DeliverPayload>,
  delivery: NotificationDelivery,
): Promise<void> {
  const { tenantId, channelId, id: deliveryId } = delivery;
  const channel = await step.em.findOne(NotificationChannel, { tenantId, id: channelId });
  const started = Date.now();
  const result = await attempt(options, channel, delivery, step);
  if (result.cause !== undefined) {
    options.logger.warn({ err: result.cause, tenantId, deliveryId }, 'a notification was not delivered');
  }
  await note(step, result, Date.now() - started);
}

async function waitForRoom({ payload, now, write }: JobStep<DeliverPayload>): Promise<void> {
  const { tenantId, deliveryId: id } = payload;
  const later = new Date(now.getTime() + crowdedMs);
  await write(async ({ em }) => {
    const delivery = await em.findOne(NotificationDelivery, { tenantId, id });
    if (delivery && isMeant(delivery, payload)) delivery.nextAttemptAt = later;
  });
}

/** Whatever goes wrong is an attempt that failed, so that it ends some day; but for one that was broken off. */
async function attempt(
  options: DeliverOptions,
  channel: NotificationChannel | null,
  delivery: NotificationDelivery,
  step: JobStep<DeliverPayload>,
): Promise<AttemptResult> {
  if (!channel) return givenUp('The channel was deleted');
  if (!channel.isEnabled && delivery.type !== NotificationType.TEST)
    return givenUp('The channel is disabled');
  if (isTooOld(delivery.createdAt, step.now)) return givenUp('It could not be delivered for three days');
  if (await isOver(delivery, step)) return givenUp('The alerts were over before it was taken');
  try {
    if (channel.kind === ChannelKind.EMAIL) return await sendMail(options, channel, delivery, step);
    const { id, body } = delivery;
    return await sendWebhook(options, channel, { id, at: step.now, body }, step.signal);
  } catch (cause) {
    if (step.signal.aborted) throw cause;
    return { statusCode: null, error: 'Something went wrong on our side', cause };
  }
}

/** Whoever could not be told that alerts fire is not told so any more once all of them are over. */
async function isOver(
  { tenantId, type, alertIds, attempts }: NotificationDelivery,
  { em }: JobStep,
): Promise<boolean> {
  if (type !== NotificationType.ALERT_FIRING || attempts.length === 0) return false;
  const open = { tenantId, id: { $in: alertIds }, status: { $ne: AlertStatus.RESOLVED } };
  return (await em.count(Alert, open)) === 0;
}

async function note(step: JobStep<DeliverPayload>, result: AttemptResult, durationMs: number): Promise<void> {
  const { tenantId, deliveryId, attempts } = step.payload;
  const { statusCode, error, isFinal = false, isGone = false, retryAfterSeconds } = result;
  const { now } = step;
  await step.write(async ({ em }) => {
    const delivery = await em.findOneOrFail(NotificationDelivery, { tenantId, id: deliveryId });
    if (delivery.attempts.length !== attempts) return;
    delivery.attempts = [...delivery.attempts, { at: now.toISOString(), statusCode, error, durationMs }];
    const next =
      error === null || isFinal ? null : nextAttemptAfter(delivery.attempts.length, now, retryAfterSeconds);
    delivery.nextAttemptAt = next;
    if (next) return;
    delivery.status = error === null ? DeliveryStatus.DELIVERED : DeliveryStatus.FAILED;
    delivery.endedAt = now;
    if (error === null) await tryAgain(em, { tenantId, id: delivery.channelId }, now);
    if (!isGone) return;
    // The specification asks senders to leave those alone that answer 410.
    await em.nativeUpdate(
      NotificationChannel,
      { tenantId, id: delivery.channelId },
      { isEnabled: false, disabledReason: 'It answered 410 Gone' },
    );
  });
}
