import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import type { Keyring } from '#platform/secrets/keyring.js';

/** What webhooks may do, for whichever tenant: have a repository looked at. */
export class WebhookRefresh {
  constructor(
    private readonly database: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  /** What the webhooks of a repository are signed with; undefined where none are taken. */
  async secretOf(id: string): Promise<string | undefined> {
    const [row] = await systemEm(this.database).execute<{ sealed: string | null }[]>(
      'select sealed_webhook_secret as sealed from governance.gitops_config where id = ?',
      [id],
    );
    return row?.sealed == null ? undefined : this.keyring.open(row.sealed, id);
  }

  /** Has it looked at within seconds. Many at once are one look, and one more where one is under way. */
  async request(id: string): Promise<void> {
    await systemEm(this.database).transactional(async (em) => {
      await em.execute(
        `update governance.gitops_config set requests = requests + 1, next_check_at = ?
         where id = ? and not is_paused`,
        [this.clock.now(), id],
      );
    });
  }
}
