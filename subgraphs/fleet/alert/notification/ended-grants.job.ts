import { LockMode } from '@mikro-orm/core';

import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationChanged } from '#schema/events.js';

import { lockMaker } from '../../enrollment/makers.service.js';
import { NotificationChannel } from './notification-channel.entity.js';

/** For people of the tenant, who switch the channel on again or remove it. */
export const grantEnded = 'The access ended under which the provider had set it up';

/**
 * Disables what was set up under a grant that was ended, before its time or for another one. Whoever sets a channel up is
 * refused by what `endedMakersConsumer` remembers of the same event.
 */
export const endedGrantsConsumer: Consumer = {
  topics: ['identity.delegation.ended'],
  async handle(step) {
    const { em, event } = step;
    const { delegationId } = event.payload as unknown as DelegationChanged;
    await lockMaker(em, delegationId);
    const channels = await em.find(
      NotificationChannel,
      { tenantId: event.tenantId, grantId: delegationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    for (const channel of channels) endWithGrant(step, channel, event.causedBy);
  },
};

/** For people of the tenant as well. */
const notTheirs = 'It was set up before the owner of the address had the account';

/** Disables what anybody had set up in an organization until the owner of its address had the account. */
export const reclaimedAccountsConsumer: Consumer = {
  topics: ['identity.account.reclaimed'],
  async handle(step) {
    const { em, event } = step;
    const channels = await em.find(
      NotificationChannel,
      { tenantId: event.tenantId, createdAt: { $lte: event.occurredAt } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    const why = { disabledReason: notTheirs, reason: 'ADDRESS_PROVED' };
    for (const channel of channels) disable(step, channel, why, event.causedBy);
  },
};

const atOnce = 20;

/** The same for grants that end at their time, of which nothing is told. */
export const grantsRunOutSweep: Sweep = {
  name: 'notification-channel.end-with-grants',
  everyMs: 5_000,
  due: 'select from fleet.notification_channel where grant_ends_at <= ?',
  async run(step) {
    const channels = await step.em.find(
      NotificationChannel,
      { grantEndsAt: { $lte: step.now } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { grantEndsAt: 'asc', id: 'asc' }, limit: atOnce },
    );
    for (const channel of channels) endWithGrant(step, channel);
    return channels.length === atOnce ? 'more' : 'done';
  },
};

function endWithGrant(
  step: Pick<SweepStep, 'publish'>,
  channel: NotificationChannel,
  causedBy?: string,
): void {
  channel.grantEndsAt = null;
  const why = { disabledReason: grantEnded, reason: 'GRANT_ENDED', grant: channel.grantId };
  disable(step, channel, why, causedBy);
}

function disable(
  { publish }: Pick<SweepStep, 'publish'>,
  channel: NotificationChannel,
  { disabledReason, ...why }: { disabledReason: string; reason: string; grant?: string | null },
  causedBy?: string,
): void {
  if (!channel.isEnabled) return;
  const { tenantId, id } = channel;
  Object.assign(channel, { isEnabled: false, disabledReason });
  publish({
    ...auditEvent(
      { name: 'updateNotificationChannel', args: {} },
      {
        tenantId,
        target: id,
        actor: 'svc:fleet',
        actorKind: 'service',
        clientAddress: '',
        changes: { isEnabled: false, ...why },
      },
    ),
    ...(causedBy === undefined ? {} : { causedBy }),
  });
}
