/**
 * The codes this server closes WebSockets with, besides those of graphql-ws for breaches of its protocol. Clients of
 * graphql-ws connect again after each of them; they give up after 4400, 4401, 4406, 4409, 4429, 4500 and most of
 * 1000-1999, so none of those is used. A reader that has stalled can't be sent a code: it sees 1006, also retried.
 */
export const closeCodes = {
  /** The access token has ended: connect again with a new one. */
  tokenExpired: { code: 4419, reason: 'Token expired' },
  /** The token was refused. graphql-ws's own code for it. */
  forbidden: { code: 4403, reason: 'Forbidden' },
  /** This process ends or is replaced: connect again, to another one. */
  restart: { code: 1012, reason: 'Service restart' },
  /** Something failed here that may work in a moment. */
  tryAgain: { code: 1013, reason: 'Try again later' },
} as const;
