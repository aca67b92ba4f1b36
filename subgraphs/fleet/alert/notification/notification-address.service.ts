import { LockMode } from '@mikro-orm/core';

import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, notFound } from '#platform/errors.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import type { ConfirmationMail } from './confirmation-mail.js';
import { NotificationAddress } from './notification-address.entity.js';
import { NotificationChannel } from './notification-channel.entity.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const linkMs = 3 * day;

/** A stranger may be asked, but not pestered: this often in all (until the address is forgotten), and not sooner. */
const mailsPerAddress = 5;
const pauseMs = 10 * minute;
/** Of one tenant within a day, whatever became of their channels. */
const addressesPerDay = 30;

/** Addresses that alerts may be mailed to: those whose reader opened a link and said so. */
export class NotificationAddressService {
  constructor(private readonly mail: ConfirmationMail) {}

  /** The addresses of a channel and how they stand; read together for all channels of one operation. */
  async of(operation: Operation, { recipients }: NotificationChannel): Promise<NotificationAddress[]> {
    const { tenantId } = operation;
    if (recipients.length === 0) return [];
    const all = await operation.once('notification addresses', async () =>
      operation.em.find(NotificationAddress, { tenantId }),
    );
    return emailsOf(recipients).map(
      (email) => all.find((address) => address.email === email) ?? newAddress(tenantId, email),
    );
  }

  /**
   * Mails a link to those of the addresses that have not confirmed, but for those that have had theirs lately or too
   * often. RATE_LIMITED when the tenant has asked too many today.
   */
  async ask(operation: Operation, { em, enqueue }: Write, recipients: readonly string[]): Promise<void> {
    const { tenantId, clock } = operation;
    const now = clock.now();
    await advisoryLock(em, 'fleet.notification_address', tenantId);
    const emails = emailsOf(recipients);
    const known = await em.find(NotificationAddress, { tenantId, email: { $in: emails } });
    const asked = emails
      .map((email) => known.find((address) => address.email === email) ?? newAddress(tenantId, email))
      .filter((address) => mayBeAsked(address, now));
    if (asked.length === 0) return;
    const lately = await em.count(NotificationAddress, {
      tenantId,
      mailedAt: { $gt: new Date(now.getTime() - day) },
      email: { $nin: asked.map(({ email }) => email) },
    });
    if (lately + asked.length > addressesPerDay) {
      throw new ApiError('RATE_LIMITED', `At most ${addressesPerDay} addresses may be asked within a day`, {
        reason: 'TOO_MANY_ADDRESSES',
        retryAfterSeconds: day / 1000,
      });
    }
    for (const address of asked) {
      const token = randomToken();
      Object.assign(address, {
        tokenHash: sha256(token),
        tokenExpiresAt: new Date(now.getTime() + linkMs),
        mails: address.mails + 1,
        mailedAt: now,
      });
      em.persist(address);
      this.mail.send({ enqueue }, tenantId, address.email, token);
    }
  }

  /** Asks those of a channel again that have not answered. */
  async askAgain(operation: Operation, channelId: string): Promise<NotificationChannel> {
    const { tenantId } = operation;
    return operation.write(async (write) => {
      const channel = await write.em.findOne(NotificationChannel, { tenantId, id: channelId });
      if (!channel) throw notFound('Notification channel');
      write.audit({ target: channelId });
      await this.ask(operation, write, channel.recipients);
      return channel;
    });
  }

  /** Takes the answer of whoever reads the address, who may have no account: the link's token says who they are. */
  async confirm(operation: Operation, token: string): Promise<NotificationAddress> {
    const tokenHash = sha256(token);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string }[]>('select * from fleet.find_notification_address(?)', [tokenHash]);
    if (!found) throw refused();
    const tenantId = found.tenant_id;
    return operation.write(async ({ em, audit }) => {
      const now = operation.clock.now();
      const address = await em.findOne(
        NotificationAddress,
        { tenantId, tokenHash, tokenExpiresAt: { $gt: now } },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!address) throw refused();
      audit({ target: address.email });
      return Object.assign(address, { tokenHash: null, tokenExpiresAt: null, confirmedAt: now });
    }, tenantId);
  }
}

/** Those of the recipients that mail may go to. */
export async function confirmedOf(
  em: SqlEntityManager,
  tenantId: string,
  recipients: readonly string[],
): Promise<string[]> {
  const confirmed = await em.find(NotificationAddress, {
    tenantId,
    email: { $in: emailsOf(recipients) },
    confirmedAt: { $ne: null },
  });
  return recipients.filter((recipient) => confirmed.some(({ email }) => email === recipient.toLowerCase()));
}

function mayBeAsked({ confirmedAt, mails, mailedAt }: NotificationAddress, now: Date): boolean {
  if (confirmedAt || mails >= mailsPerAddress) return false;
  return mailedAt === null || now.getTime() - mailedAt.getTime() >= pauseMs;
}

function newAddress(tenantId: string, email: string): NotificationAddress {
  return Object.assign(new NotificationAddress(), {
    tenantId,
    email,
    tokenHash: null,
    tokenExpiresAt: null,
    mails: 0,
    mailedAt: null,
    confirmedAt: null,
  });
}

function emailsOf(recipients: readonly string[]): string[] {
  return [...new Set(recipients.map((recipient) => recipient.toLowerCase()))];
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The link is not valid, has ended, or was used before', {
    reason: 'ADDRESS_TOKEN_INVALID',
  });
}
