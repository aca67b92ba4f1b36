import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { WebSocket as GraphQLSocket } from 'graphql-ws';
import type { WebSocket } from 'ws';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import { closeCodes } from './close-codes.js';

const longestDelayMs = 24 * 60 * 60 * 1000;
const closeWithinMs = 2_000;
const recheckMs = 1_000;

/** How far a reader may fall behind. */
export interface ReaderLimits {
  /** Bytes waiting for one reader, after which it is cut off at once. Past a quarter, its subscriptions wait. */
  bufferedBytes: number;
  /** How long its subscriptions wait for it, before it is cut off. */
  stalledAfterMs: number;
}

/** One client's WebSocket: who it is, until when, and how far it may fall behind. */
export class Connection {
  private authorization: string | undefined;
  private operations = 0;
  private isAlive = true;
  private readonly gone = new AbortController();

  constructor(
    private readonly socket: WebSocket,
    /** What the upgrade request told. */
    readonly base: RequestContext,
    private readonly limits: ReaderLimits,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    socket.on('pong', () => {
      this.isAlive = true;
    });
    socket.on('error', (error) => {
      this.logger.debug({ err: error, requestId: this.base.requestId }, 'A WebSocket failed');
    });
  }

  /** The socket ends when the token does: its subscriptions speak for the token's owner. */
  authenticate(authorization: string, expiresAt: number): void {
    this.authorization = authorization;
    this.expire(expiresAt * 1000).catch((error: unknown) => {
      if (this.gone.signal.aborted) return;
      this.logger.error(
        { err: error, requestId: this.base.requestId },
        'A WebSocket could not be ended in time',
      );
    });
  }

  /** Closes a socket that stays anonymous: nothing that lasts is open to it. */
  leaveAfter(ms: number): void {
    const timer = setTimeout(() => void this.close(closeCodes.forbidden), ms);
    this.gone.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** Asks again and again whether the token still counts: a session may be ended long before its token. */
  recheck(isGood: () => Promise<boolean>): void {
    const timer = setInterval(() => {
      isGood()
        // Not known now; it is asked again.
        .catch(() => true)
        .then((good) => (good ? undefined : this.close(closeCodes.forbidden)))
        .catch(() => this.socket.terminate());
    }, recheckMs).unref();
    this.gone.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** Each operation on the socket has a request id of its own, which starts with the socket's. */
  operationContext(extensions: Record<string, unknown> | null | undefined): RequestContext {
    const { authorization = this.base.authorization } = this;
    this.operations += 1;
    return {
      ...this.base,
      requestId: `${this.base.requestId.slice(0, 110)}.${this.operations}`,
      ...(authorization === undefined ? {} : { authorization }),
      ...(typeof extensions?.after === 'string' ? { after: extensions.after } : {}),
    };
  }

  /** What graphql-ws speaks to. */
  transport(): GraphQLSocket {
    const { socket } = this;
    return {
      protocol: socket.protocol,
      send: (message) => this.send(message),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) => {
        socket.on('message', (data: Buffer) => {
          receive(data.toString()).catch((error: unknown) => {
            this.logger.error({ err: error, requestId: this.base.requestId }, 'A WebSocket message failed');
            socket.close(closeCodes.tryAgain.code, closeCodes.tryAgain.reason);
          });
        });
      },
    };
  }

  /** Cuts off a peer that has not answered the ping before. */
  ping(): void {
    if (!this.isAlive) {
      this.socket.terminate();
      return;
    }
    this.isAlive = false;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }

  async close({ code, reason }: { code: number; reason: string }): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close(code, reason);
    await Promise.race([
      closed,
      sleep(closeWithinMs, undefined, { signal: this.gone.signal }).catch(() => {}),
    ]);
    this.socket.terminate();
  }

  dispose(): void {
    this.gone.abort();
  }

  /**
   * Waits for a message to be written only when much is waiting already: a burst, such as the replay of a resumed
   * subscription, then goes out at the reader's pace. A reader that takes nothing in that time is cut off, as what its
   * subscriptions would yield piles up meanwhile.
   */
  private send(message: string): Promise<void> | undefined {
    const { socket, limits } = this;
    if (socket.readyState !== socket.OPEN) return undefined;
    const written = new Promise<void>((resolve) => socket.send(message, () => resolve()));
    if (socket.bufferedAmount > limits.bufferedBytes) this.cutOff();
    if (socket.bufferedAmount <= limits.bufferedBytes / 4) return undefined;
    const stalled = setTimeout(() => this.cutOff(), limits.stalledAfterMs);
    return written.finally(() => clearTimeout(stalled));
  }

  private cutOff(): void {
    const { requestId } = this.base;
    this.logger.warn(
      { requestId, bufferedBytes: this.socket.bufferedAmount },
      'A WebSocket reader has stalled',
    );
    // A close frame would wait behind everything else.
    this.socket.terminate();
  }

  private async expire(at: number): Promise<void> {
    // Timers hold 2^31 ms, which is less than the 30 days of a node's credential.
    for (let left = at - this.clock.now().getTime(); left > 0; left = at - this.clock.now().getTime()) {
      await this.clock.delay(Math.min(left, longestDelayMs), this.gone.signal);
    }
    await this.close(closeCodes.tokenExpired);
  }
}
