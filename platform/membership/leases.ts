import type { Database } from '../database/database.js';
import { literal } from '../database/one-message.js';
import { patience, withPatience } from '../database/patience.js';
import type { Logger } from '../logger.js';
import { isOursSql, renewalSql, type Grant, type Lease } from './lease.js';
import type { ProcessSession } from './process-session.js';

const renewMs = 5_000;

interface Renewal {
  name: string;
  /** Ours to renew or to take, when the statement began. */
  isOurs: boolean;
  /** Null where it was not renewed. */
  holder: string | null;
  epoch: string | null;
}

/**
 * All leases of a process, renewed by one statement every few seconds; what is free is taken by the same. It waits for
 * nobody: a lease under which somebody is writing is asked for by itself, and holds up no other.
 */
export class Leases {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private takes = true;

  constructor(
    readonly all: readonly Lease[],
    private readonly database: Database,
    private readonly session: Pick<ProcessSession, 'id' | 'knowsOthers'>,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await this.renew();
    this.schedule();
  }

  /** Takes nothing from now on. */
  keep(): void {
    this.takes = false;
    for (const lease of this.all) lease.keep();
  }

  /** Gives all of them up. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await Promise.all(this.all.map((lease) => lease.stop()));
  }

  async renew(): Promise<void> {
    const late = await this.renewAtOnce();
    await Promise.all(late.map((lease) => lease.renew()));
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      void this.renewAtOnce()
        .then((late) => {
          for (const lease of late) void lease.renew();
        })
        .finally(() => this.schedule());
    }, renewMs);
    this.timer.unref();
  }

  /** Answers those that have to be asked for by themselves. */
  private async renewAtOnce(): Promise<Lease[]> {
    const wanted = this.all.filter(({ isWanted }) => isWanted);
    if (wanted.length === 0) return [];
    const { takes } = this;
    const { id, knowsOthers } = this.session;
    try {
      const sql = renewSql(
        wanted.map(({ name }) => name),
        { takes, knowsOthers },
      );
      // Not behind requests, however many of them wait.
      const rows = await withPatience(patience.background, async () =>
        this.database.readerForNobody().execute<Renewal[]>(sql, [id]),
      );
      const renewals = new Map(rows.map((row) => [row.name, row]));
      const late: Lease[] = [];
      for (const lease of wanted) {
        const row = renewals.get(lease.name);
        if (row?.holder != null) await lease.told(row as Grant);
        else if (!row || row.isOurs) late.push(lease);
        else await lease.told(undefined);
      }
      return late;
    } catch (error) {
      this.logger.warn({ err: error }, 'the leases could not be renewed');
      return [];
    }
  }
}

/** Its value is the process. What is locked is passed over; what was locked and changed meanwhile is looked at as it is then. */
function renewSql(names: readonly string[], may: { takes: boolean; knowsOthers: boolean }): string {
  const holder = '(select id from me)';
  const isOneOfThem = `l.name in (${names.map(literal).join(', ')})`;
  const isOurs = isOursSql('l', may, holder);
  return `with me as (select ?::text as id), free as materialized (
      select l.name from platform.lease l where ${isOneOfThem} and ${isOurs} for no key update skip locked
    ), renewed as (
      update platform.lease l set ${renewalSql(holder)} from free where l.name = free.name
      returning l.name, l.holder, l.epoch::text as epoch
    )
    select l.name, ${isOurs} as "isOurs", r.holder, r.epoch
    from platform.lease l left join renewed r on r.name = l.name where ${isOneOfThem}`;
}
