import type { FilterQuery } from '@mikro-orm/core';

import { advisoryLock } from '#platform/database/advisory-lock.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { NotificationChannel } from './notification-channel.entity.js';
import { NotificationDelivery } from './notification-delivery.entity.js';
import type { NotificationDeliveryFilter } from './notification.inputs.js';
import { DeliveryStatus, NotificationType } from './notification.kinds.js';
import { testBody } from './notification.message.js';

const hourMs = 60 * 60_000;
/** Of one tenant, within an hour. */
const testsPerHour = 20;

/** What was sent where; the sending is the jobs' (deliver.job.ts). */
export class NotificationDeliveryService {
  /** Newest first. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: NotificationDeliveryFilter | null | undefined,
  ): Promise<Page<NotificationDelivery>> {
    const window = pageWindow(args);
    const { channelId, status } = filter ?? {};
    const matching: FilterQuery<NotificationDelivery> = {
      tenantId: operation.tenantId,
      ...(channelId ? { channelId } : {}),
      ...(status ? { status } : {}),
    };
    const before = window.after === undefined ? {} : { id: { $lt: window.after } };
    const rows = await operation.em.find(
      NotificationDelivery,
      { $and: [matching, before] },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(NotificationDelivery, matching));
  }

  /** A delivery of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get({ em, tenantId }: Operation, id: string): Promise<NotificationDelivery> {
    const delivery = await em.findOne(NotificationDelivery, { tenantId, id });
    if (!delivery) throw notFound('Notification delivery');
    return delivery;
  }

  /** Sends nothing but a greeting, whatever the channel's severity, even when it is disabled. */
  async sendTest(operation: Operation, channelId: string): Promise<NotificationDelivery> {
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      const channel = await em.findOne(NotificationChannel, { tenantId, id: channelId });
      if (!channel) throw notFound('Notification channel');
      audit({ target: channelId });
      const now = operation.clock.now();
      await advisoryLock(em, 'fleet.notification_test', tenantId);
      const sent = await em.count(NotificationDelivery, {
        tenantId,
        type: NotificationType.TEST,
        createdAt: { $gt: new Date(now.getTime() - hourMs) },
      });
      if (sent >= testsPerHour) {
        throw new ApiError('RATE_LIMITED', `At most ${testsPerHour} tests may be sent within an hour`, {
          reason: 'TOO_MANY_TESTS',
          retryAfterSeconds: hourMs / 1000,
        });
      }
      return em.create(NotificationDelivery, {
        tenantId,
        id: newId('delivery'),
        channelId,
        type: NotificationType.TEST,
        alertIds: [],
        subjectId: null,
        body: testBody(channel, now),
        status: DeliveryStatus.PENDING,
        attempts: [],
        nextAttemptAt: now,
        createdAt: now,
        endedAt: null,
      });
    });
  }
}
