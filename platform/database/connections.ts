import { setTimeout as sleep } from 'node:timers/promises';

import { createPostgreSqlTypeParsers } from '@mikro-orm/postgresql';
import pg from 'pg';

import { GuardedClient } from './guarded-client.js';
import { currentPatience, waits, type Patience } from './patience.js';
import { Questions } from './questions.js';
import { StandingConnection } from './standing-connection.js';

type Part = Patience['part'];
type PoolName = Part | 'replicas';

/** A part of the pool at one moment, in connections; `waiting` counts those who wait for one. */
export interface PoolStats {
  pool: PoolName;
  taken: number;
  idle: number;
  waiting: number;
  max: number;
}

export type TakenClient = pg.PoolClient & GuardedClient;

/** One process's share of PostgreSQL's connections, however many areas it runs. The standing ones, and that for readiness, come on top. */
export const defaultConnections = 18;

/**
 * Two of three connections are for requests, so that background work never has most of them. What makes the first
 * administrator holds one while it takes another.
 */
export function poolSizes(connections = defaultConnections): Readonly<Record<Part, number>> {
  const background = Math.max(2, Math.floor(connections / 3));
  return { requests: connections - background, background };
}

/** Where the database is. */
export interface DatabaseUrls {
  /** What serves requests. A pooler that gives each transaction another connection may be there. */
  url: string;
  /** The server itself, for what needs a session, and for background work; the same as `url` unless told. */
  directUrl?: string | undefined;
  /** Replicas of it. */
  readUrl?: string | undefined;
}

/**
 * The connections of one process to its database, for all areas alike: nobody is anybody on them, and each transaction
 * says for itself as which role and for which tenant it runs. Whoever serves a request and whoever works in the
 * background take from a part of their own, so that neither has to wait for the other.
 */
export class Connections {
  /** For what needs a session: LISTEN, and locks that say that this process lives. */
  readonly standing: StandingConnection;

  /** What the process asks again and again. */
  readonly questions = new Questions(this);

  readonly url: string;
  readonly hasReplicas: boolean;
  /** Whether a statement that a request has had parsed is still there for the next one: a pooler may be in between. */
  readonly keepsStatements: boolean;

  private readonly pools: Readonly<Record<Part, pg.Pool> & Partial<Record<'replicas', pg.Pool>>>;
  /**
   * One to where requests go, for "are you ready" alone: that all of theirs are taken by what takes long is no reason to
   * send nobody here any more. Made when it is first asked.
   */
  private readonly readiness: pg.Pool;
  private readonly clients = new Set<GuardedClient>();
  /** Of those who wait for a connection. */
  private readonly waiting = new Set<(error: Error) => void>();
  private closing: Promise<void> | undefined;
  private asking: Promise<string | undefined> | undefined;
  private isCut = false;

  constructor(urls: string | DatabaseUrls, sizes: Readonly<Record<Part, number>> = poolSizes()) {
    const { url, directUrl = url, readUrl }: DatabaseUrls = typeof urls === 'string' ? { url: urls } : urls;
    this.url = url;
    this.hasReplicas = readUrl !== undefined;
    this.keepsStatements = directUrl === url;
    this.pools = {
      requests: this.pool(url, sizes.requests, waits.free.requests),
      // All that a process of five areas asks again and again, with room for more.
      background: this.pool(directUrl, sizes.background, waits.free.background, { mostStatements: 128 }),
      ...(readUrl === undefined ? {} : { replicas: this.pool(readUrl, sizes.requests, waits.free.replicas) }),
    };
    this.readiness = this.pool(url, 1, waits.ready, { name: 'panel readiness' });
    this.standing = new StandingConnection(directUrl, 'panel process');
  }

  /** A connection that the caller has to release, whatever becomes of it. Its deadlines are those of `withPatience`. */
  async take(): Promise<TakenClient> {
    return this.takeOf(this.pools[currentPatience().part]);
  }

  /** One to a replica, where there are any. */
  async takeReplica(): Promise<TakenClient> {
    if (!this.pools.replicas) throw new Error('there are no replicas');
    return this.takeOf(this.pools.replicas);
  }

  private async takeOf(pool: pg.Pool): Promise<TakenClient> {
    if (this.isCut) throw cutOff();
    const { answer } = currentPatience();
    const client = await new Promise<TakenClient>((resolve, reject) => {
      this.waiting.add(reject);
      pool.connect().then(
        (taken) => {
          if (this.waiting.delete(reject)) resolve(taken as TakenClient);
          else taken.release();
        },
        (error: Error) => {
          this.waiting.delete(reject);
          reject(error);
        },
      );
    });
    client.answerWithin = answer;
    return client;
  }

  async use<T>(work: (client: TakenClient) => Promise<T>): Promise<T> {
    const client = await this.take();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }

  /** Why nobody can be served just now; undefined when the database takes writes. Answers within a second and a half. */
  async problem(): Promise<string | undefined> {
    // However many ask at once, one connection is asked.
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<string | undefined> {
    const asked = this.askReadOnly().then(
      (rows) => (rows[0]?.isReadOnly ? 'the database takes no writes' : undefined),
      () => 'the database does not answer',
    );
    const over = new AbortController();
    const tooLate = sleep(waits.ready, 'the database does not answer', { signal: over.signal, ref: false });
    return Promise.race([asked, tooLate.catch(() => undefined)]).finally(() => over.abort());
  }

  private async askReadOnly(): Promise<{ isReadOnly: boolean }[]> {
    const client = await this.takeOf(this.readiness);
    let takesWrites = false;
    try {
      // What has not answered by then would keep who asks next from a connection that does.
      client.answerWithin = waits.ready;
      const { rows } = await client.query<{ isReadOnly: boolean }>(readOnlySql);
      takesWrites = rows[0]?.isReadOnly === false;
      return rows;
    } finally {
      // The address may lead elsewhere by now: a connection to a server that does not lead would stay there for long.
      client.release(!takesWrites);
    }
  }

  stats(): PoolStats[] {
    return Object.entries(this.pools).map(([name, pool]) => ({
      pool: name as PoolName,
      taken: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: pool.options.max,
    }));
  }

  /** Lets what is under way finish for a while, and then cuts it. Safe to call twice. */
  async close(withinMs: number = waits.close): Promise<void> {
    this.closing ??= this.closeAll(withinMs);
    return this.closing;
  }

  /** Ends every statement under way, and makes no connection any more: what waits fails as if the server were gone. */
  cut(): void {
    this.isCut = true;
    for (const client of this.clients) client.cut(closed);
    for (const turnAway of this.waiting) turnAway(cutOff());
    this.waiting.clear();
  }

  private async closeAll(withinMs: number): Promise<void> {
    const tooLate = setTimeout(() => this.cut(), withinMs);
    const pools = [this.readiness, ...Object.values(this.pools)];
    await Promise.all([this.standing.stop(), ...pools.map((pool) => pool.end())]);
    clearTimeout(tooLate);
  }

  private pool(
    connectionString: string,
    max: number,
    freeWithinMs: number,
    { name = 'panel', mostStatements }: { name?: string; mostStatements?: number } = {},
  ): pg.Pool {
    const { clients } = this;
    class PooledClient extends GuardedClient {
      constructor(config: pg.ClientConfig) {
        super(config, mostStatements);
        clients.add(this);
        this.on('end', () => clients.delete(this));
      }
    }
    const pool = new pg.Pool({
      connectionString,
      application_name: name,
      max,
      connectionTimeoutMillis: freeWithinMs,
      idleTimeoutMillis: waits.idle,
      maxLifetimeSeconds: waits.lifetime / 1000,
      types: ormTypes,
      // The types say that it is made without the configuration, which it gets.
      Client: PooledClient as unknown as new () => pg.ClientBase,
    });
    // A connection lost while idle is replaced at the next use.
    pool.on('error', () => undefined);
    return pool;
  }
}

const closed = 'the connections of this process were closed';
const cutOff = () => Object.assign(new Error(closed), { code: 'ECONNABORTED' });

// A standby answers reads; a primary that has just stepped down does too.
const readOnlySql = `select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "isReadOnly"`;

/** The ORM makes dates of text itself. Who reads rows without it asks for `pg.types`. */
const ormTypes = new pg.TypeOverrides();
const textArray: number = 1009;
const parsers = createPostgreSqlTypeParsers(pg.types.getTypeParser(textArray, 'text'));
for (const [oid, parse] of Object.entries(parsers)) ormTypes.setTypeParser(Number(oid), parse);
