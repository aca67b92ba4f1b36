import type { Connections } from '../database/connections.js';
import type { Database } from '../database/database.js';
import { patience, withPatience } from '../database/patience.js';
import type { Logger } from '../logger.js';
import { ClockSkew } from './clock-skew.js';
import { outdatedBySql } from './contracts.sql.js';

const beatMs = 2_000;

export interface ProcessFacts {
  /** Of its session. */
  id: string;
  nodeName: string;
  version: string;
  /** What it runs. */
  areas: readonly string[];
  /** The steps of all areas that its code knows, as area/step. */
  knows: readonly string[];
  /** The ids of the keys that it holds of SECRETS_KEY. */
  secretsKeys: readonly string[];
}

/**
 * This process in the list of those that make up the panel, for as long as it lives; and what it is told there. Beats are
 * by the database's clock.
 */
export class ProcessRegistry {
  /** Resolves when it is told to end and be started anew, as another version mostly. */
  readonly restart: Promise<void>;
  /** Resolves when the database turns out to have had a step that this process is too old for. */
  readonly outdated: Promise<void>;
  /** Measured with each beat. */
  readonly clockSkew: ClockSkew;
  /** That step. */
  outdatedBy: string | undefined;
  private toldToRestart: () => void = () => undefined;
  private foundOutdated: () => void = () => undefined;
  private state: 'running' | 'draining' = 'running';
  private address = '';
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => Promise<void>) | undefined;
  private beating: Promise<void> | undefined;
  private isStopped = false;
  private isAway = false;

  constructor(
    private readonly platform: Database,
    private readonly connections: Connections,
    private readonly facts: ProcessFacts,
    private readonly logger: Logger,
  ) {
    this.clockSkew = new ClockSkew(logger);
    this.restart = new Promise((resolve) => (this.toldToRestart = resolve));
    this.outdated = new Promise((resolve) => (this.foundOutdated = resolve));
  }

  async start(): Promise<void> {
    this.stopListening = await this.connections.standing.listen('membership', {
      hear: () => void this.beat(),
    });
    await this.beat();
    this.schedule();
  }

  /** Where others reach it. */
  serves(address: string): void {
    this.address = address;
    void this.beat();
  }

  /** It asks to be sent nothing more. */
  drain(): void {
    this.state = 'draining';
    void this.beat();
  }

  /** Takes it out of the list: it ended as it should. Others hear of it at once, and take the leases that it gave up. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.stopListening?.();
    await this.beating;
    await this.platform
      .readerForNobody()
      .execute(
        `with gone as (delete from platform.process where id = ?) select pg_notify('membership', '')`,
        [this.facts.id],
      )
      .catch((error: unknown) =>
        this.logger.warn({ err: error }, 'the process could not be taken out of the list'),
      );
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.beat().finally(() => this.schedule()), beatMs);
    this.timer.unref();
  }

  private async beat(): Promise<void> {
    await this.beating;
    // Meanwhile its row may have been taken out for good.
    if (this.isStopped) return;
    this.beating = withPatience(patience.background, async () => this.write());
    await this.beating;
  }

  private async write(): Promise<void> {
    const { id, nodeName, version, areas, knows, secretsKeys } = this.facts;
    try {
      const askedAt = Date.now();
      const [row] = await this.platform.readerForNobody().execute<Answer[]>(
        `insert into platform.process as p (id, node_name, version, address, areas, state, knows, secrets_keys)
         values (?, ?, ?, ?, string_to_array(?, ','), ?, string_to_array(?, ','), string_to_array(?, ','))
         on conflict (id) do update
           set beat_at = now(), state = excluded.state, address = excluded.address
         returning told, ${outdatedBySql('p')} as "outdatedBy",
           (extract(epoch from clock_timestamp()) * 1000)::float8 as "databaseAt"`,
        [
          id,
          nodeName,
          version,
          this.address,
          areas.join(','),
          this.state,
          knows.join(','),
          secretsKeys.join(','),
        ],
      );
      this.isAway = false;
      if (row) this.clockSkew.note(row.databaseAt, askedAt, Date.now());
      if (row?.told === 'restart') this.toldToRestart();
      if (row?.outdatedBy != null) this.becomeOutdated(row.outdatedBy);
    } catch (error) {
      if (!this.isAway) this.logger.warn({ err: error }, 'the process could not say that it is there');
      this.isAway = true;
    }
  }

  /** It asks to be sent nothing more, for good: what was taken away does not come back. */
  private becomeOutdated(by: string): void {
    if (this.outdatedBy !== undefined) return;
    this.outdatedBy = by;
    this.state = 'draining';
    this.foundOutdated();
    const { version } = this.facts;
    this.logger.error({ step: by, version }, 'this version is too old for the database: it does no more');
  }
}

interface Answer {
  told: string | null;
  outdatedBy: string | null;
  databaseAt: number;
}
