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
/** The token has ended: whatever this machine's clock says, it is not offered again. */
const endedCode = 4419;
let offered = '';

const client = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  connectionParams: async () => ({ authorization: `Bearer ${(offered = await accessToken())}` }),
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
    closed: (event) => {
      clearTimeout(pongTimeout);
      if (isClose(event) && event.code === endedCode) void recheckSession(offered);
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

// What was told to whoever was signed in is not told on to the next.
sessionState.follow(() => {
  if (sessionState.get() !== 'signed-in') client.terminate();
});

/** Subscriptions that are wanted. */
let open = 0;

export interface Follow<Data> {
  /** A cursor that came with what is already known: events after it are told, and none is missed. */
  after?: string | undefined;
  next: (data: Data) => void;
  /** Events were missed for good: what is shown has to be read anew. */
  lost: () => void;
  /** `after` is of no use any more: nothing is told until it is followed again, from the cursor of another reading. */
  outdated?: () => void;
}

/** Refusals of a cursor; after any other one it is good for another try. */
const reasonsOfCursors = new Set(['CURSOR_INVALID', 'CURSOR_EXPIRED', 'NOT_RESUMABLE']);

/** By then the panel follows what it was asked to. */
const begunWithinMs = 1_000;

/** Follows a subscription until the answer is called. After a broken connection it goes on after the last event. */
export function follow<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { after, next, lost, outdated }: Follow<Data>,
): () => void {
  const extensions: Record<string, unknown> = after === undefined ? {} : { after };
  const query = stringifyDocument(document);
  let isWanted = true;
  let stop: (() => void) | undefined;
  let turn = 0;
  let refusals = 0;
  open += 1;

  const start = () => {
    const mine = (turn += 1);
    const isMine = () => isWanted && mine === turn;
    // graphql-ws sends this same object again after each reconnect, by then with the last cursor in it.
    const payload = { query, variables: variables as Record<string, unknown>, extensions };
    stop = client.subscribe<Data>(payload, {
      next: ({ data, errors, extensions: told }) => {
        if (!isMine()) return;
        const cursor = (told as Record<string, unknown> | undefined)?.['cursor'];
        const isEvent = typeof cursor === 'string';
        if (isEvent) extensions['after'] = cursor;
        // A refusal comes as an answer that has errors only, and a `complete` behind it.
        if (!data) return void failed(errors, isEvent);
        refusals = 0;
        try {
          next(data);
        } catch (problem) {
          // graphql-ws (6.4.2) would take it for an answer of the panel, and end everybody's subscriptions.
          reportError(problem);
          lost();
        }
      },
      error: (problem) => {
        if (isMine()) void failed(problem);
      },
      complete: () => {
        if (isMine()) setTimeout(() => isMine() && start(), 1_000);
      },
    });
  };

  /** `isMissed` tells that the cursor is behind an event that could not be told. */
  const failed = async (problem: unknown, isMissed = false) => {
    const mine = (turn += 1);
    stop?.();
    if (isClose(problem)) {
      const token = currentToken();
      if (problem.code === refusedCode && token) await recheckSession(token);
      await wait(1_000);
      if (isWanted && sessionState.get() === 'signed-in') start();
      return;
    }
    const { reason, retryAfterSeconds = 0 } = refusalOf(problem);
    if (reasonsOfCursors.has(reason ?? '')) {
      delete extensions['after'];
      if (after !== undefined && outdated) return outdated();
    }
    await wait(Math.max(retryAfterSeconds * 1_000, Math.min(60_000, 1_000 * 2 ** refusals)));
    refusals += 1;
    if (!isWanted || mine !== turn) return;
    start();
    // From a cursor on nothing is missed. Otherwise all is read once the panel follows again, not before.
    if (extensions['after'] !== undefined && !isMissed) return;
    await wait(begunWithinMs);
    if (isWanted) lost();
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

interface Refusal {
  reason?: string;
  retryAfterSeconds?: number;
}

/** Why, as the first of the errors that came says. */
function refusalOf(problem: unknown): Refusal {
  const [first] = Array.isArray(problem) ? (problem as { extensions?: Refusal }[]) : [];
  return first?.extensions ?? {};
}
