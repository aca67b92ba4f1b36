import pg from 'pg';

import { tracedQuery } from '../telemetry/traced-query.js';
import { isInTrace } from '../telemetry/tracing.js';
import { patience, waits } from './patience.js';
import { PreparedStatements } from './prepared-statements.js';

type GiveBack = (error?: Error | boolean) => void;

// PostgreSQL's word for a server that became a standby: what is connected to it has the wrong one.
const readOnlyTransaction = '25006';
/**
 * Whether the server closes the connection after this error. Its end is seen a moment later, and whoever took the
 * connection in that moment would pay for it. The severity may be in the server's language, the codes are not.
 */
const isLastWord = ({ code = '', severity = '' }: { code?: string; severity?: string }) =>
  severity === 'FATAL' || severity === 'PANIC' || /^57P0|^25P0[34]$/.test(code);
// What a busy process has not read yet is read first.
const secondLookMs = 100;

/**
 * A connection that nothing can wait on for ever. It gives itself back to its pool when it ends while it is taken
 * (kysely keeps it when BEGIN, COMMIT or ROLLBACK meets a dead connection), is cut when the server does not answer, and
 * never ends the process by an error that nobody listens to.
 */
export class GuardedClient extends pg.Client {
  /**
   * How long a statement may be without its answer, in milliseconds; of several that were sent at once, the last. What it
   * takes to answer those in front of it is not added.
   */
  answerWithin: number = patience.request.answer;
  /** Whether questions are sent before those in front of them were answered. By pg, whose types do not have it. */
  declare pipeline: boolean;
  /** What the server keeps for this connection. */
  readonly statements: PreparedStatements;

  #giveBack: GiveBack | undefined;
  #isSpent = false;
  #isAsked = false;
  #questions = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;

  /** Of statements that are prepared the connection keeps this many. */
  constructor(config: pg.ClientConfig, mostStatements = 32) {
    super({
      ...config,
      keepAlive: true,
      keepAliveInitialDelayMillis: waits.keepAlive,
      connectionTimeoutMillis: waits.connect,
    });
    this.statements = new PreparedStatements(mostStatements);
    // A pool listens to the errors of idle connections only.
    this.on('error', () => undefined);
    this.on('drain', () => (this.#isAsked = false));
    const query = this.query.bind(this) as (...given: unknown[]) => unknown;
    this.query = ((...given: unknown[]) => {
      this.#expectAnswer();
      return isInTrace() ? tracedQuery(given, query) : query(...given);
    }) as typeof this.query;
    const end = this.end.bind(this) as (...given: unknown[]) => unknown;
    this.end = ((...given: unknown[]) => {
      // A server that is frozen never answers to a goodbye.
      setTimeout(() => this.connection.stream.destroy(), waits.goodbye).unref();
      return end(...given);
    }) as typeof this.end;
    this.on('end', () => {
      clearTimeout(this.#timer);
      this.#giveBack?.(new Error('the connection has ended'));
    });
    this.connection.on('errorMessage', (told: { code?: string; severity?: string }) => {
      if (told.code === readOnlyTransaction || isLastWord(told)) this.#isSpent = true;
    });
  }

  /** pg-pool gives each taker a function to give the connection back with, which throws when it is called twice. */
  set release(giveBack: GiveBack) {
    let isBack = false;
    this.#giveBack = (error) => {
      if (isBack) return;
      isBack = true;
      giveBack(error ?? this.#isSpent);
    };
  }

  get release(): GiveBack {
    return this.#giveBack ?? (() => undefined);
  }

  /** Ends the connection here and now; what waits for it fails. */
  cut(why: string): void {
    // Its code says to outage.ts what it is.
    this.connection.stream.destroy(Object.assign(new Error(why), { code: 'ETIMEDOUT' }));
  }

  #expectAnswer(): void {
    this.#questions += 1;
    this.#isAsked = true;
    if (this.#timer && this.#timerMs === this.answerWithin) this.#timer.refresh();
    else this.#startTimer();
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    const ms = (this.#timerMs = this.answerWithin);
    this.#timer = setTimeout(() => {
      const question = this.#questions;
      if (!this.#isAsked) return;
      setTimeout(() => {
        if (this.#isAsked && this.#questions === question)
          this.cut(`PostgreSQL has not answered within ${ms} ms`);
      }, secondLookMs).unref();
    }, ms).unref();
  }
}
