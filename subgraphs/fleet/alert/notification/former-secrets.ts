import type { NotificationChannel } from './notification-channel.entity.js';

interface FormerSecret {
  sealed: string;
  until: Date;
}

type Kept = Pick<
  NotificationChannel,
  'sealedPreviousSecret' | 'previousSecretUntil' | 'sealedEarlierSecret' | 'earlierSecretUntil'
>;

/** What messages of a channel are signed by beside its newest secret, the youngest first. */
export function formerSecrets(channel: Kept, now: Date): FormerSecret[] {
  const kept = [
    { sealed: channel.sealedPreviousSecret, until: channel.previousSecretUntil },
    { sealed: channel.sealedEarlierSecret, until: channel.earlierSecretUntil },
  ];
  return kept.filter(
    (one): one is FormerSecret => one.sealed !== null && one.until !== null && one.until > now,
  );
}
