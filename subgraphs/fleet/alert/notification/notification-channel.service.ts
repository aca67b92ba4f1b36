import { LockMode } from '@mikro-orm/core';

import { ApiError, invalid, notFound } from '#platform/errors.js';
import { grantOf } from '#platform/grant/grants.js';
import { newId } from '#platform/ids.js';
import { OutboundError } from '#platform/outbound/errors.js';
import type { Outbound } from '#platform/outbound/outbound.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId, type Viewer } from '#platform/viewer.js';

import { makerOf, requireMaker } from '../../enrollment/makers.service.js';
import { AlertSeverity } from '../alert.kinds.js';
import { formerSecrets } from './former-secrets.js';
import { lookAgain } from './look-again.service.js';
import type { NotificationAddressService } from './notification-address.service.js';
import { NotificationChannel } from './notification-channel.entity.js';
import {
  createEmailChannelRules,
  createWebhookChannelRules,
  rotateWebhookSecretRules,
  updateNotificationChannelRules,
  type CreateEmailChannelInput,
  type CreateWebhookChannelInput,
  type RotateWebhookSecretInput,
  type UpdateNotificationChannelInput,
  type WebhookSecretPayload,
} from './notification.inputs.js';
import { ChannelKind } from './notification.kinds.js';
import { tryAgain } from './try-again.service.js';
import { newWebhookSecret } from './webhook-signature.js';

const room: Room = {
  lock: 'fleet.notification_channel',
  limit: 20,
  of: 'notification channels',
  reason: 'CHANNELS_LIMIT',
};
const hourMs = 60 * 60 * 1000;
const defaultKeepHours = 24;
/** As Alertmanager has it. */
const defaultRepeatMinutes = 240;

/** Where tenants are told of alerts. Webhook secrets are kept sealed, bound to the channel's id. */
export class NotificationChannelService {
  constructor(
    private readonly keyring: Keyring,
    private readonly outbound: Outbound,
    private readonly addresses: NotificationAddressService,
  ) {}

  /** In the order they were made. */
  async page(operation: Operation, args: PageArgs): Promise<Page<NotificationChannel>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      NotificationChannel,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(NotificationChannel, { tenantId }));
  }

  /** A channel of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get({ em, tenantId }: Operation, id: string): Promise<NotificationChannel> {
    const channel = await em.findOne(NotificationChannel, { tenantId, id });
    if (!channel) throw notFound('Notification channel');
    return channel;
  }

  async createWebhook(operation: Operation, input: CreateWebhookChannelInput): Promise<WebhookSecretPayload> {
    const { url, ...common } = validate(createWebhookChannelRules, input);
    await this.checkUrl(url);
    const secret = newWebhookSecret();
    const id = newId('notificationChannel');
    const channel = await this.create(operation, {
      ...common,
      id,
      kind: ChannelKind.WEBHOOK,
      url,
      recipients: [],
      sealedSecret: this.keyring.seal(secret, id),
    });
    return { channel, secret };
  }

  async createEmail(operation: Operation, input: CreateEmailChannelInput): Promise<NotificationChannel> {
    const { recipients, ...common } = validate(createEmailChannelRules, input);
    return this.create(operation, {
      ...common,
      id: newId('notificationChannel'),
      kind: ChannelKind.EMAIL,
      url: null,
      recipients: [...new Set(recipients)],
      sealedSecret: null,
    });
  }

  async update(operation: Operation, input: UpdateNotificationChannelInput): Promise<NotificationChannel> {
    const { id, ...changes } = validate(updateNotificationChannelRules, input);
    if (changes.url != null) await this.checkUrl(changes.url);
    const viewer = operation.requireViewer();
    return operation.write(async (write) => {
      await requireGrant(write, viewer);
      const channel = await own(operation, write, id);
      const isReaddressed = changes.url != null || changes.recipients != null;
      const isTakenUp = channel.grantId !== null && !channel.isEnabled && changes.isEnabled === true;
      if (isReaddressed || isTakenUp) Object.assign(channel, grantOf(viewer));
      const foreign = channel.kind === ChannelKind.WEBHOOK ? 'recipients' : 'url';
      if (changes[foreign] != null)
        throw invalid(`input.${foreign}`, `A channel of the kind ${channel.kind.toLowerCase()} has none`);
      Object.assign(
        channel,
        Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null)),
      );
      if (changes.isEnabled) channel.disabledReason = null;
      if (changes.recipients != null) await this.addresses.ask(operation, write, channel.recipients);
      const { repeatIntervalMinutes, minimumSeverity, isEnabled } = changes;
      // It is another one, or is mended.
      await tryAgain(write.em, channel, operation.clock.now());
      if (repeatIntervalMinutes != null || minimumSeverity != null || isEnabled)
        await lookAgain(write.em, operation.tenantId, operation.clock.now());
      return channel;
    });
  }

  /** Its deliveries under way are given up; those that ended stay in the log. */
  async delete(operation: Operation, id: string): Promise<NotificationChannel> {
    return operation.write(async (write) => {
      const channel = await own(operation, write, id);
      write.em.remove(channel);
      return channel;
    });
  }

  /** Until the hours are over, receivers may check by the old secret or the new one. */
  async rotateSecret(operation: Operation, input: RotateWebhookSecretInput): Promise<WebhookSecretPayload> {
    const { id, keepPreviousHours } = validate(rotateWebhookSecretRules, input);
    const secret = newWebhookSecret();
    const viewer = operation.requireViewer();
    const channel = await operation.write(async (write) => {
      await requireGrant(write, viewer);
      const found = await own(operation, write, id);
      if (found.kind !== ChannelKind.WEBHOOK)
        throw new ApiError('CONFLICT', 'Only webhooks have a secret', { reason: 'CHANNEL_HAS_NO_SECRET' });
      // Whoever knows the secret can write in the panel's name.
      if (viewer.kind === 'delegate') Object.assign(found, grantOf(viewer));
      const now = operation.clock.now();
      const hours = keepPreviousHours ?? defaultKeepHours;
      const until = new Date(now.getTime() + hours * hourMs);
      // What the receiver has is the oldest, where the answers to calls since were lost.
      const oldest = hours === 0 ? undefined : formerSecrets(found, now).at(-1);
      Object.assign(found, {
        sealedEarlierSecret: oldest?.sealed ?? null,
        earlierSecretUntil: oldest && oldest.until < until ? oldest.until : until,
        // One that leaked is kept nowhere.
        sealedPreviousSecret: hours === 0 ? null : found.sealedSecret,
        previousSecretUntil: hours === 0 ? null : until,
      });
      found.sealedSecret = this.keyring.seal(secret, id);
      return found;
    });
    return { channel, secret };
  }

  private async create(
    operation: Operation,
    {
      minimumSeverity,
      tellsResolved,
      tellsCanaries,
      tellsGitOps,
      repeatIntervalMinutes,
      ...given
    }: NewChannel,
  ): Promise<NotificationChannel> {
    const { tenantId } = operation;
    return operation.write(async (write) => {
      const { em, audit } = write;
      await requireGrant(write, operation.requireViewer());
      await requireRoom(em, room, tenantId, async () => em.count(NotificationChannel, { tenantId }));
      audit({ target: given.id });
      await this.addresses.ask(operation, write, given.recipients);
      return em.create(NotificationChannel, {
        ...given,
        tenantId,
        sealedPreviousSecret: null,
        previousSecretUntil: null,
        sealedEarlierSecret: null,
        earlierSecretUntil: null,
        minimumSeverity: minimumSeverity ?? AlertSeverity.INFO,
        tellsResolved: tellsResolved ?? true,
        tellsCanaries: tellsCanaries ?? true,
        tellsGitOps: tellsGitOps ?? true,
        repeatIntervalMinutes: repeatIntervalMinutes ?? defaultRepeatMinutes,
        isEnabled: true,
        disabledReason: null,
        ...grantOf(operation.requireViewer()),
        createdBy: viewerId(operation.requireViewer()),
        createdAt: operation.clock.now(),
      });
    });
  }

  /** For the one who types it in; every request is checked anew. */
  private async checkUrl(url: string): Promise<void> {
    try {
      await this.outbound.checkTarget(url);
    } catch (error) {
      if (error instanceof OutboundError) throw invalid('input.url', error.message);
      throw error;
    }
  }
}

type NewChannel = Pick<
  NotificationChannel,
  'id' | 'kind' | 'name' | 'url' | 'recipients' | 'sealedSecret'
> & {
  minimumSeverity?: AlertSeverity | null | undefined;
  tellsResolved?: boolean | null | undefined;
  tellsCanaries?: boolean | null | undefined;
  tellsGitOps?: boolean | null | undefined;
  repeatIntervalMinutes?: number | null | undefined;
};

/** Whoever acts under a grant that has ended sets up nothing that would outlast it. */
async function requireGrant({ em }: Write, viewer: Viewer): Promise<void> {
  if (viewer.kind === 'delegate') await requireMaker(em, makerOf(viewer));
}

async function own(operation: Operation, { em, audit }: Write, id: string): Promise<NotificationChannel> {
  const { tenantId } = operation;
  const channel = await em.findOne(
    NotificationChannel,
    { tenantId, id },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!channel) throw notFound('Notification channel');
  audit({ target: id });
  return channel;
}
