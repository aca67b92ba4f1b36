import type { Database, SqlEntityManager } from '../database/database.js';
import { patience, withPatience } from '../database/patience.js';
import type { Logger } from '../logger.js';
import { isGoneSql, type ProcessSession } from './process-session.js';

export const leaseSeconds = 15;

/** A lease as it was granted; the epoch is what writes are checked by. */
export interface Grant {
  name: string;
  holder: string;
  epoch: string;
}

/**
 * The right of one process among several to run singletons. PostgreSQL's clock rules; a holder that has ended is
 * replaced before its time is over. The lease by itself does not
 * keep a frozen process from waking up late, so every write of a singleton calls `assertHeld` in its transaction.
 */
export class Lease {
  private granted: Grant | undefined;
  private grantedAt = Number.NEGATIVE_INFINITY;
  /** Whether it takes what is free, and not only keeps what it has. */
  private takes = true;
  private readonly waiting = new Set<() => void>();
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    /** What the lease is for: one per area, so that areas may run in processes of their own. */
    readonly name: string,
    private readonly session: Pick<ProcessSession, 'id' | 'knowsOthers'>,
    private readonly logger: Logger,
  ) {}

  /** The grant while this process believes that it holds the lease. */
  get current(): Grant | undefined {
    return this.granted;
  }

  /** The grant while it lasts, by this process's clock: nobody may have it any more whose renewals fail. */
  get lasting(): Grant | undefined {
    return performance.now() - this.grantedAt < leaseSeconds * 1000 ? this.granted : undefined;
  }

  /** Whether it is to be renewed: it is held, or would be taken. */
  get isWanted(): boolean {
    return this.takes || this.granted !== undefined;
  }

  /** Resolves when this process holds the lease, or when the signal ends the wait. */
  async held(signal: AbortSignal): Promise<void> {
    if (this.granted || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.waiting.delete(done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Takes nothing from now on: who has ended its loops would only keep a lease from those that run theirs. */
  keep(): void {
    this.takes = false;
  }

  /** Ends the lease at once, so that another process need not wait for its end. */
  async stop(): Promise<void> {
    this.keep();
    const grant = this.granted;
    this.granted = undefined;
    if (grant) await this.giveUp(grant);
  }

  private async giveUp(grant: Grant): Promise<void> {
    await withPatience(patience.background, async () =>
      this.database.readerForNobody().execute(
        // One that lives on is not to be taken for a holder that is merely late to renew it.
        `update platform.lease set expires_at = now(), holder = '' where name = ? and holder = ? and epoch = ?`,
        [grant.name, grant.holder, grant.epoch],
      ),
    ).catch((error: unknown) => this.logger.warn({ err: error }, 'the lease could not be given up'));
  }

  /**
   * Takes the lease when it is free, or makes it last longer, waiting for whoever is just writing under it. Of all that a
   * process has, `Leases` does so in one statement every few seconds, and leaves to this what that cannot have at once.
   */
  async renew(): Promise<void> {
    if (!this.isWanted) return;
    this.renewing ??= withPatience(patience.background, async () => this.renewAlone()).finally(
      () => (this.renewing = undefined),
    );
    await this.renewing;
  }

  private async renewAlone(): Promise<void> {
    const { id, knowsOthers } = this.session;
    const { takes } = this;
    try {
      const [row] = await this.database.readerForNobody().execute<Grant[]>(
        `insert into platform.lease as l values (?, ?, 1, now(), now() + make_interval(secs => ?))
         on conflict (name) do update set ${renewalSql('excluded.holder')}
         where ${isOursSql('l', { takes, knowsOthers }, 'excluded.holder')}
         returning name, holder, epoch::text as epoch`,
        [this.name, id, leaseSeconds],
      );
      await this.told(row);
    } catch (error) {
      // One failed renewal is no loss of the lease: its end is in the database, and every write is checked there.
      this.logger.warn({ err: error }, 'the lease could not be renewed');
    }
  }

  /** What the database has made of a renewal: the grant, or none. */
  async told(row: Grant | undefined): Promise<void> {
    // It was asked for before it was to take nothing more.
    if (row && !this.granted && !this.takes) {
      await this.giveUp(row);
      return;
    }
    if (row && !this.granted)
      this.logger.info({ lease: this.name, epoch: row.epoch }, 'this process runs the singletons');
    if (!row && this.granted)
      this.logger.warn({ lease: this.name }, 'another process runs the singletons now');
    this.granted = row;
    if (row) this.grantedAt = performance.now();
    if (row) for (const wake of this.waiting) wake();
  }
}

/**
 * In SQL, of a row of `platform.lease`: whether it may be renewed or taken by the process whose id `holder` is. Whose own
 * session the server does not see judges nobody: this runs on another connection, which may be back first.
 */
export const isOursSql = (
  row: string,
  { takes, knowsOthers }: { takes: boolean; knowsOthers: boolean },
  holder: string,
) => `(${row}.holder = ${holder} or ${takes} and (${row}.expires_at <= now()
  or ${knowsOthers} and not ${isGoneSql(holder)} and ${isGoneSql(`${row}.holder`)}))`;

/** In SQL, what of a row `l` of `platform.lease` is set when `holder` renews or takes it. */
export const renewalSql = (holder: string) => `holder = ${holder},
  epoch = case when l.holder = ${holder} then l.epoch else l.epoch + 1 end,
  acquired_at = case when l.holder = ${holder} then l.acquired_at else now() end,
  expires_at = now() + make_interval(secs => ${leaseSeconds})`;

/** Fails unless the grant still stands, and keeps the lease from changing hands until the transaction of `em` ends. */
export async function assertHeld(em: SqlEntityManager, grant: Grant): Promise<void> {
  // A process frozen in this transaction must not hold the lease's row for ever.
  await em.execute(`set local idle_in_transaction_session_timeout = '5s'`);
  await em.execute('select platform.assert_epoch(?, ?, ?)', [grant.name, grant.holder, grant.epoch]);
}
