import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { WebSocket as GraphQLSocket } from 'graphql-ws';
import type { WebSocket } from 'ws';

import { tooManyParts } from '#platform/json-shape.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import { closeCodes, type Closing } from './close-codes.js';
import { MessageAllowance } from './message-allowance.js';

const closeWithinMs = 2_000;

/** How far a reader may fall behind. */
export interface ReaderLimits {
  /** Bytes waiting for one reader, after which it is cut off at once. Past a quarter, its subscriptions wait. */
  bufferedBytes: number;
  /** How long its subscriptions wait for it, before it is cut off. */
  stalledAfterMs: number;
}

export interface ConnectionLimits extends ReaderLimits {
  /** Bytes of one message of a client that is not signed in. */
  strangerBytes: number;
}

/** One client's WebSocket: who it is, how much it may say, and how far it may fall behind. */
export class Connection {
  private authorization: string | undefined;
  private operations = 0;
  private isAlive = true;
  private readonly gone = new AbortController();
  private readonly messages: MessageAllowance;

  constructor(
    private readonly socket: WebSocket,
    /** What the upgrade request told. */
    readonly base: RequestContext,
    private readonly limits: ConnectionLimits,
    /** Asked for what comes too often; false ends the socket. */
    pay: (context: RequestContext) => Promise<boolean>,
    private readonly logger: Logger,
    private readonly onStalled?: () => void,
  ) {
    this.messages = new MessageAllowance(
      () => pay(this.context()),
      () => this.end(closeCodes.tooManyMessages),
    );
    socket.on('ping', () => this.messages.take());
    socket.on('pong', () => {
      this.isAlive = true;
      this.messages.take();
    });
    socket.on('error', (error) => {
      this.logger.debug({ err: error, requestId: this.base.requestId }, 'A WebSocket failed');
    });
  }

  /** Aborted once the socket has closed. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** Whether somebody is known to be at its other end. */
  get isSignedIn(): boolean {
    return this.authorization !== undefined;
  }

  /** From now on the socket's operations are those of the token's owner. */
  authenticate(authorization: string): void {
    this.authorization = authorization;
  }

  /** Closes a socket that stays anonymous: nothing that lasts is open to it. */
  leaveAfter(ms: number): void {
    const timer = setTimeout(() => this.end(closeCodes.anonymous), ms);
    this.gone.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** Each operation on the socket has a request id of its own, which starts with the socket's. */
  operationContext(extensions: Record<string, unknown> | null | undefined): RequestContext {
    this.operations += 1;
    return {
      ...this.context(),
      requestId: `${this.base.requestId.slice(0, 110)}.${this.operations}`,
      ...(typeof extensions?.after === 'string' ? { after: extensions.after } : {}),
    };
  }

  /** An operation that was paid for is no message as well, and its end comes with it. */
  operationPaid(): void {
    this.messages.giveBack(2);
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
          if (socket.readyState !== socket.OPEN) return;
          if (!this.isSignedIn && data.length > this.limits.strangerBytes) {
            this.end(closeCodes.tooLarge);
            return;
          }
          const tooMany = tooManyParts(data, 'The message');
          if (tooMany) return this.end({ code: 4400, reason: tooMany });
          this.messages.take();
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

  /** `close` for whoever does not wait for it. */
  end(closing: Closing): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.close(closing).catch(() => this.socket.terminate());
  }

  async close({ code, reason }: Closing): Promise<void> {
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
    this.onStalled?.();
    // A close frame would wait behind everything else.
    this.socket.terminate();
  }

  private context(): RequestContext {
    const { authorization = this.base.authorization } = this;
    return { ...this.base, ...(authorization === undefined ? {} : { authorization }) };
  }
}
