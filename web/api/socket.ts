import { stringifyDocument, type TypedDocumentNode } from '@urql/core';
import { createClient } from 'graphql-ws';

import { accessToken, currentToken, recheckSession, sessionState } from '../session/session.ts';
import { socketIs } from './connection.ts';

const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const longestWaitMs = 10_000;

let pongTimeout: ReturnType<typeof setTimeout> | undefined;

/** Refused for good, as far as the socket knows: another token may be taken. */
const refusedCode = 4401;

const client = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  connectionParams: async () => ({ authorization: `Bearer ${await accessToken()}` }),
  lazyCloseTimeout: 5_000,
  keepAlive: pingEveryMs,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => sessionState.get() === 'signed-in',
  retryWait: async (retries) => {
    const waitMs = Math.min(longestWaitMs, 300 * 2 ** Math.min(retries, 6));
    // Many clients lose a panel at the same time; they don't come back at the same time.
    const spread = waitMs * (0.5 + Math.random() / 2);
    await Promise.race([wait(spread), online()]);
  },
  on: {
    connected: () => socketIs('live'),
    closed: () => {
      clearTimeout(pongTimeout);
      socketIs(open > 0 && sessionState.get() === 'signed-in' ? 'reconnecting' : 'idle');
    },
    ping: (received) => {
      if (!received) pongTimeout = setTimeout(() => client.terminate(), pongWithinMs);
    },
    pong: (received) => {
      if (received) clearTimeout(pongTimeout);
    },
  },
});

async function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function online(): Promise<void> {
  return new Promise((resolve) => addEventListener('online', () => resolve(), { once: true }));
}

/** Subscriptions that are wanted. */
let open = 0;

export interface Follow<Data> {
  /** A cursor that came with what is already known: events after it are told, and none is missed. */
  after?: string | undefined;
  next: (data: Data) => void;
  /** Events were missed for good: what is shown has to be read anew. */
  lost: () => void;
}

/** Follows a subscription until the answer is called. After a broken connection it goes on after the last event. */
export function follow<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { after, next, lost }: Follow<Data>,
): () => void {
  const extensions: Record<string, unknown> = after === undefined ? {} : { after };
  const query = stringifyDocument(document);
  let isWanted = true;
  let stop: (() => void) | undefined;
  let refusals = 0;
  open += 1;

  const start = () => {
    // graphql-ws sends this same object again after each reconnect, by then with the last cursor in it.
    const payload = { query, variables: variables as Record<string, unknown>, extensions };
    stop = client.subscribe<Data>(payload, {
      next: ({ data, errors, extensions: told }) => {
        const cursor = (told as Record<string, unknown> | undefined)?.['cursor'];
        if (typeof cursor === 'string') extensions['after'] = cursor;
        refusals = 0;
        if (errors) {
          // Where it can't be resumed, asking for the same again would go on for ever.
          delete extensions['after'];
          lost();
        } else if (data) next(data);
      },
      error: (error) => {
        if (isWanted) void failed(error);
      },
      complete: () => {
        if (isWanted) setTimeout(() => isWanted && start(), 1_000);
      },
    });
  };

  const failed = async (error: unknown) => {
    if (isClose(error)) {
      const token = currentToken();
      if (error.code === refusedCode && token) await recheckSession(token);
      await wait(1_000);
      if (isWanted && sessionState.get() === 'signed-in') start();
      return;
    }
    // What was missed can't be told any more: go on from now, and only then have all of it read.
    delete extensions['after'];
    await wait(Math.min(60_000, 1_000 * 2 ** refusals));
    refusals += 1;
    if (!isWanted) return;
    start();
    lost();
  };

  start();
  return () => {
    isWanted = false;
    open -= 1;
    stop?.();
  };
}

function isClose(error: unknown): error is CloseEvent {
  return typeof error === 'object' && error !== null && 'code' in error;
}
