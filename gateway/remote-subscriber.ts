import { setTimeout as sleep } from 'node:timers/promises';

import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { createClient, type Client, type Sink } from 'graphql-ws';
import { WebSocket } from 'ws';

import { gatewayTokenHeader } from '#platform/auth/service-token.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';
import { cursorOf, openedAtOf } from '#platform/subgraph/cursor.js';
import type { EventStream } from '#platform/subgraph/map-events.js';
import {
  longestSubscription,
  type SubgraphEvent,
  type SubgraphRequest,
} from '#platform/subgraph/subgraph-runner.js';

import { badRequest } from './bad-request.js';
import { createEventQueue } from './event-queue.js';
import { unavailable } from './unavailable.js';

/** Events kept for a client that takes them more slowly than they come. Past that, its subscription ends. */
const capacity = 1_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const longestWaitMs = 5_000;
/** Room for what the protocol adds to a subscription: its id and type, and a cursor that has grown. */
const frameBytes = 4 * 1024;

export interface RemoteSubscriber {
  subscribe(request: SubgraphRequest, context: RequestContext): EventStream<SubgraphEvent>;
  stop(): Promise<void>;
}

/**
 * Subscribes at a subgraph over one WebSocket that all callers share. It connects when first needed and again when it
 * was cut, for whatever reason; the subscriptions then go on after the last cursor each has seen. Who is calling travels
 * in each subscription's `extensions.requestContext`.
 */
export function createRemoteSubscriber(
  { name, url }: { name: string; url: string },
  logger: Logger,
  gatewayToken?: () => Promise<string>,
): RemoteSubscriber {
  let pongTimer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    ...(gatewayToken
      ? { connectionParams: async () => ({ [gatewayTokenHeader]: await gatewayToken() }) }
      : {}),
    lazyCloseTimeout: 5_000,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: (retries) => sleep(waitMs(retries)),
    keepAlive: pingEveryMs,
    on: {
      // A peer that vanished without closing would otherwise leave the subscriptions silent for ever.
      ping: (wasReceived) => {
        if (!wasReceived) pongTimer = setTimeout(() => client.terminate(), pongWithinMs).unref();
      },
      pong: (wasReceived) => {
        if (wasReceived) clearTimeout(pongTimer);
      },
      closed: () => {
        clearTimeout(pongTimer);
        logger.debug({ subgraph: name }, 'The WebSocket to a subgraph closed');
      },
    },
  });

  return {
    subscribe: (request, context) => {
      const requestContext = { ...context };
      // graphql-ws sends this very object again when it reconnects, so the cursor written into it is the one sent.
      const payload = { ...request, variables: request.variables ?? {}, extensions: { requestContext } };
      const log = logger.child({ subgraph: name, requestId: context.requestId });
      let unsubscribe = (): void => {};
      let comesBack: NodeJS.Timeout | undefined;
      let isTaken = false;
      const queue = createEventQueue<SubgraphEvent>(capacity, () => {
        clearTimeout(comesBack);
        unsubscribe();
      });
      const sink: Sink<FormattedExecutionResult> = {
        next: (result) => {
          isTaken = true;
          const openedAt = openedAtOf(result.extensions ?? {});
          if (openedAt !== undefined) {
            requestContext.after ??= openedAt;
            return;
          }
          const cursor = cursorOf(result);
          if (cursor !== undefined) requestContext.after = cursor;
          if (queue.push(answer(result))) return;
          log.warn('A subscription was too slow for its events');
          queue.end(answer(unavailable()));
          unsubscribe();
        },
        error: (error) => {
          if (isErrorMessage(error)) {
            queue.end(answer({ data: null, errors: error }));
            return;
          }
          unsubscribe();
          log.warn({ err: error, comesBack: isTaken }, 'A subscription was cut');
          // What made the subgraph close the socket for good is not what it had taken already.
          if (isTaken) comesBack = setTimeout(send, waitMs(0)).unref();
          else queue.end(answer(unavailable()));
        },
        complete: () => queue.end(),
      };
      const send = () => {
        if (isStopped) return queue.end();
        unsubscribe = client.subscribe(payload, sink as Sink);
      };
      if (Buffer.byteLength(JSON.stringify(payload)) > longestSubscription - frameBytes) {
        queue.end(answer({ data: null, errors: [badRequest('The subscription is too long').toJSON()] }));
      } else {
        send();
      }
      return queue.stream;
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(pongTimer);
      await client.dispose();
    },
  };
}

function waitMs(retries: number): number {
  return Math.min(100 * 2 ** retries, longestWaitMs) * (0.5 + Math.random() / 2);
}

function answer(result: FormattedExecutionResult): SubgraphEvent {
  return () => Promise.resolve(result);
}

/** graphql-ws hands on the protocol's error messages as an array, and broken connections as anything else. */
function isErrorMessage(error: unknown): error is readonly GraphQLFormattedError[] {
  return Array.isArray(error);
}
