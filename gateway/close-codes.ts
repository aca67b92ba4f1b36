import type { ApiError } from '#platform/errors.js';

export interface Closing {
  code: number;
  /** Shown to whoever debugs a client; at most 123 bytes. */
  reason: string;
}

/**
 * The codes this server closes WebSockets with, besides those of graphql-ws for breaches of its protocol. Its clients
 * connect again after 4403, 4419, 1012 and 1013; they give up after 4400, 4401, 4406, 4409, 4429, 4500 and most of
 * 1000-1999. A reader that has stalled can't be sent a code: it sees 1006, which is retried.
 */
export const closeCodes = {
  /** The access token has ended: connect again with a new one. */
  tokenExpired: { code: 4419, reason: 'Token expired' },
  /** Nobody said who they are. */
  anonymous: { code: 4401, reason: 'Nobody has signed in on this socket' },
  /** The page that connects is of a site that may not. */
  foreignOrigin: { code: 1008, reason: 'This origin is not allowed' },
  /** Larger than what is read of whoever is not signed in. */
  tooLarge: { code: 1009, reason: 'The message is too large for a socket that is not signed in' },
  /** It was begun, and not sent to its end. */
  tooSlow: { code: 1008, reason: 'A message took too long' },
  tooManySockets: { code: 1013, reason: 'Too many sockets of this address have not signed in' },
  tooManyOfOne: { code: 1013, reason: 'Too many sockets of this organization, or of this node, are open' },
  tooManyMessages: { code: 1013, reason: 'Too many messages' },
  /** This process ends or is replaced: connect again, to another one. */
  restart: { code: 1012, reason: 'Service restart' },
  /** Something failed here that may work in a moment. */
  tryAgain: { code: 1013, reason: 'Try again later' },
} as const satisfies Record<string, Closing>;

/** For a token that is refused. Only one that has ended is worth coming back for, with its successor. */
export function closingOf({ message, extensions }: ApiError): Closing {
  if (extensions.reason === 'TOKEN_EXPIRED') return closeCodes.tokenExpired;
  return { code: 4401, reason: message.slice(0, 120) };
}

// So many connections make use of the whole time.
const spreadFrom = 100;

/** Over how long closing is spread: a few clients can come back at once, many would be felt. */
export function spreadOver(connections: number, withinMs: number): number {
  return withinMs * Math.min(1, connections / spreadFrom);
}
