import type { Database, SqlEntityManager } from '../database/database.js';
import type { Logger } from '../logger.js';
import { isGoneSql, type ProcessSession } from './process-session.js';

export const leaseSeconds = 15;
const renewMs = 5_000;

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
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  /** Whether it takes what is free, and not only keeps what it has. */
  private takes = true;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly database: Database,
    /** What the lease is for: one per area, so that areas may run in processes of their own. */
    readonly name: string,
    private readonly session: Pick<ProcessSession, 'id' | 'knowsOthers'>,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await this.renew();
    this.schedule();
  }

  /** The grant while this process believes that it holds the lease. */
  get current(): Grant | undefined {
    return this.granted;
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
    this.isStopped = true;
    this.keep();
    clearTimeout(this.timer);
    const grant = this.granted;
    this.granted = undefined;
    if (grant) await this.giveUp(grant);
  }

  private async giveUp(grant: Grant): Promise<void> {
    await this.database
      .anonymous()
      .execute(
        // One that lives on is not to be taken for a holder that is merely late to renew it.
        `update platform.lease set expires_at = now(), holder = '' where name = ? and holder = ? and epoch = ?`,
        [grant.name, grant.holder, grant.epoch],
      )
      .catch((error: unknown) => this.logger.warn({ err: error }, 'the lease could not be given up'));
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      void this.renew().finally(() => this.schedule());
    }, renewMs);
    this.timer.unref();
  }

  /**
   * Takes the lease when it is free, or makes it last longer; every few seconds by itself once started. Whose own session
   * the server does not see judges nobody: this runs on another connection, which may be back first.
   */
  async renew(): Promise<void> {
    const { takes } = this;
    if (!takes && !this.granted) return;
    try {
      const [row] = await this.database.anonymous().execute<Grant[]>(
        `insert into platform.lease as l values (?, ?, 1, now(), now() + make_interval(secs => ?))
         on conflict (name) do update set
           holder = excluded.holder,
           epoch = case when l.holder = excluded.holder then l.epoch else l.epoch + 1 end,
           acquired_at = case when l.holder = excluded.holder then l.acquired_at else now() end,
           expires_at = excluded.expires_at
         where l.holder = excluded.holder or ? and (l.expires_at <= now()
           or ? and not ${isGoneSql('excluded.holder')} and ${isGoneSql('l.holder')})
         returning name, holder, epoch::text as epoch`,
        [this.name, this.session.id, leaseSeconds, takes, this.session.knowsOthers],
      );
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
      if (row) for (const wake of this.waiting) wake();
    } catch (error) {
      // One failed renewal is no loss of the lease: its end is in the database, and every write is checked there.
      this.logger.warn({ err: error }, 'the lease could not be renewed');
    }
  }
}

/** Fails unless the grant still stands, and keeps the lease from changing hands until the transaction of `em` ends. */
export async function assertHeld(em: SqlEntityManager, grant: Grant): Promise<void> {
  // A process frozen in this transaction must not hold the lease's row for ever.
  await em.execute(`set local idle_in_transaction_session_timeout = '5s'`);
  await em.execute('select platform.assert_epoch(?, ?, ?)', [grant.name, grant.holder, grant.epoch]);
}
