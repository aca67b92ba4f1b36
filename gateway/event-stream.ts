import { setTimeout as sleep } from 'node:timers/promises';

import type { Response } from 'express';
import { GraphQLError, type ExecutionResult } from 'graphql';

import type { Clock } from '#platform/clock.js';
import { ApiError, isErrorCode } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';
import { cursorOf } from '#platform/subgraph/cursor.js';
import type { EventStream } from '#platform/subgraph/map-events.js';
import { isUnread } from '#platform/subgraph/until-read.js';

import { closeCodes, spreadOver } from './close-codes.js';
import { Holders } from './holders.js';
import { watchToken, type Verify } from './standing-token.js';
import type { WebSocketLimits } from './websocket.js';

export interface EventStreamOptions {
  verify: Verify;
  clock: Clock;
  logger: Logger;
  limits: WebSocketLimits;
  /** Told of each reader that is cut off because it takes nothing. */
  onStalled?: () => void;
}

/**
 * Subscriptions as Server-Sent Events, one to a connection (graphql-sse's "distinct connections"), under the rules that
 * WebSockets have. What ends for good ends with the event `complete`; a stream that ends without it may be asked for
 * again, from the last event's id on.
 */
export class EventStreams {
  private readonly open = new Set<OpenStream>();
  private readonly holders: Holders;
  private isStopping = false;

  constructor(private readonly options: EventStreamOptions) {
    this.holders = new Holders(options.limits);
  }

  /** Answers with the events, and resolves when the stream is over. */
  async serve(
    response: Response,
    context: RequestContext,
    events: EventStream<ExecutionResult>,
  ): Promise<void> {
    // Whoever left while the subscription was opened is told of no more, not even by an event.
    if (response.destroyed || response.closed) {
      await events.return(undefined);
      return;
    }
    const stream = new OpenStream(response, context, this.options);
    this.open.add(stream);
    stream.signal.addEventListener('abort', () => {
      this.open.delete(stream);
      this.holders.leave(stream);
      void events.return(undefined);
    });
    try {
      await this.admit(stream);
      if (this.isStopping) stream.cut(closeCodes.restart.reason);
      let isPassing = false;
      for await (const event of events) {
        await stream.next(event);
        isPassing = event.data == null && isUnread(event);
      }
      if (isPassing) stream.cut('Try again later');
      else stream.complete();
    } catch (error) {
      if (!stream.signal.aborted) stream.fail(error);
    }
  }

  /** Ends every stream, spread over a few seconds, in a way that clients come back after. */
  async stop(): Promise<void> {
    this.isStopping = true;
    const overMs = spreadOver(this.open.size, this.options.limits.closeOverMs);
    await Promise.all([...this.open].map((stream) => this.leave(stream, overMs)));
  }

  private async leave(stream: OpenStream, overMs: number): Promise<void> {
    await sleep(Math.random() * overMs);
    stream.cut(closeCodes.restart.reason);
  }

  private async admit(stream: OpenStream): Promise<void> {
    const { verify, clock, limits } = this.options;
    const { authorization, clientAddress } = stream.base;
    if (authorization === undefined) {
      if (!this.holders.enter(stream, clientAddress))
        throw new ApiError('LIMIT_REACHED', closeCodes.tooManySockets.reason);
      stream.leaveAfter(limits.anonymousMs);
      return;
    }
    const token = await verify(authorization, stream.base);
    if (token instanceof ApiError) throw token;
    const { signal } = stream;
    if (signal.aborted) return;
    if (!this.holders.signIn(stream, token))
      throw new ApiError('LIMIT_REACHED', closeCodes.tooManyOfOne.reason.replace('sockets', 'streams'));
    watchToken(
      { authorization, clientAddress, expiresAt: token.expiresAt, signal },
      verify,
      clock,
      (denial) => {
        // Only a token that has ended is worth coming back for, with its successor.
        if (denial.extensions.reason === 'TOKEN_EXPIRED') stream.cut(closeCodes.tokenExpired.reason);
        else stream.fail(denial);
      },
    ).catch((error: unknown) => stream.fail(error));
  }
}

class OpenStream {
  private readonly over = new AbortController();
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    private readonly response: Response,
    readonly base: RequestContext,
    private readonly options: EventStreamOptions,
  ) {
    beginStream(response);
    // Proxies end what has been silent for a minute, and a client that has gone is noticed.
    this.heartbeat = setInterval(() => void this.write(':\n\n'), options.limits.pingEveryMs).unref();
    response.once('close', () => this.end());
    response.on('error', () => this.end());
  }

  get signal(): AbortSignal {
    return this.over.signal;
  }

  async next(result: ExecutionResult): Promise<void> {
    await this.write(nextEvent(result));
  }

  complete(): void {
    this.end(completeEvent);
  }

  /** Clients come back after this. */
  cut(reason: string): void {
    this.end(`: ${reason}\n\n`);
  }

  /** And not after this, unless it says that it passes. */
  fail(error: unknown): void {
    const { requestId } = this.base;
    if (!isForClients(error)) {
      this.options.logger.error({ err: error, requestId }, 'A stream of events failed unexpectedly');
      this.cut('Try again later');
      return;
    }
    const { message, extensions } = error;
    const last = nextEvent({ errors: [{ message, extensions }] } as never);
    this.end(extensions['code'] === 'UNAVAILABLE' ? last : `${last}${completeEvent}`);
  }

  leaveAfter(ms: number): void {
    const timer = setTimeout(() => {
      this.fail(new ApiError('UNAUTHENTICATED', closeCodes.anonymous.reason.replace('socket', 'stream')));
    }, ms).unref();
    this.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  private end(last?: string): void {
    if (this.signal.aborted) return;
    clearInterval(this.heartbeat);
    this.over.abort();
    if (!this.response.writableEnded) this.response.end(last);
  }

  /** Waits for the reader only when much is waiting for it already, and cuts it off when it takes nothing then. */
  private async write(text: string): Promise<void> {
    if (this.signal.aborted) return;
    const { response } = this;
    const { bufferedBytes, stalledAfterMs } = this.options.limits;
    const written = new Promise<void>((resolve) =>
      response.write(text, (error) => {
        if (error) this.end();
        resolve();
      }),
    );
    if (response.writableLength > bufferedBytes) this.cutOff();
    if (response.writableLength <= bufferedBytes / 4) return;
    const stalled = setTimeout(() => this.cutOff(), stalledAfterMs);
    await written;
    clearTimeout(stalled);
  }

  private cutOff(): void {
    const { requestId } = this.base;
    const bufferedBytes = this.response.writableLength;
    this.options.logger.warn({ requestId, bufferedBytes }, 'A reader of events has stalled');
    this.options.onStalled?.();
    this.response.destroy();
  }
}

/** The subscriber has given errors their form already, and those that are nobody's business the code INTERNAL. */
function isForClients(error: unknown): error is ApiError | GraphQLError {
  if (error instanceof ApiError) return true;
  return (
    error instanceof GraphQLError &&
    isErrorCode(error.extensions['code']) &&
    error.extensions['code'] !== 'INTERNAL'
  );
}

/** One result as a whole stream, for clients that take nothing else. */
export function sendAsStream(response: Response, result: string): void {
  beginStream(response);
  response.end(`event: next\ndata: ${result}\n\n${completeEvent}`);
}

function beginStream(response: Response): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  // nginx would hold events back until it has a buffer full of them.
  response.setHeader('x-accel-buffering', 'no');
  response.flushHeaders();
}

function nextEvent(result: ExecutionResult): string {
  const cursor = cursorOf(result);
  return `event: next\n${cursor === undefined ? '' : `id: ${cursor}\n`}data: ${JSON.stringify(result)}\n\n`;
}

// EventSource dispatches no event without data.
const completeEvent = 'event: complete\ndata:\n\n';
