import type { Consumer } from '#platform/outbox/consumer.js';
import type { TestClockAdvanced } from '#schema/events.js';

/** What ends by itself: table, and which of its rows could still be used. */
const moved: readonly { table: string; where: string }[] = [
  { table: 'session', where: 'revoked_at is null' },
  { table: 'refresh_token', where: 'used_at is null' },
  { table: 'invitation', where: 'accepted_at is null and revoked_at is null' },
  { table: 'mail_token', where: 'used_at is null' },
  { table: 'login_challenge', where: 'used_at is null' },
  { table: 'oauth_codes', where: 'consumed_at is null' },
  { table: 'api_key', where: 'revoked_at is null' },
  { table: 'delegation', where: 'revoked_at is null' },
];

/**
 * Identity keeps the machine's time. When a tenant's own time has jumped, whatever it has that ends by itself ends as much
 * earlier; nothing ever lasts longer for it. Tokens that are signed hold as long as they say, a quarter of an hour at the
 * most; counts of failed attempts, the audit trail and erasures know no time but the machine's.
 */
export const advanceIdentity: Consumer = {
  topics: ['billing.test-clock.advanced'],
  async handle({ em, event, now }) {
    const { byMs } = event.payload as unknown as TestClockAdvanced;
    for (const { table, where } of moved) {
      await em.execute(
        `update identity.${table} set expires_at = expires_at - ?::bigint * interval '1 millisecond'
         where tenant_id = ? and expires_at > ? and ${where}`,
        [byMs, event.tenantId, now],
      );
    }
  },
};
