import { cacheExchange, Client, fetchExchange, mapExchange } from '@urql/core';

import { accessToken, currentToken, recheckSession } from '../session/session.ts';

const answerWithinMs = 30_000;

/** Every request has a token that is good, and a deadline. */
const fetchSignedIn: typeof fetch = async (input, init) => {
  const token = await accessToken();
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token}`);
  const deadline = AbortSignal.timeout(answerWithinMs);
  const signal = init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
  return fetch(input, { ...init, headers, signal });
};

/** A client with an empty cache: one for each time that somebody signs in. */
export function createApiClient(): Client {
  return new Client({
    url: '/graphql',
    preferGetMethod: false,
    fetch: fetchSignedIn,
    requestPolicy: 'cache-and-network',
    exchanges: [
      mapExchange({
        onError: (error) => {
          const isRefused = error.graphQLErrors.some(
            ({ extensions }) => extensions['code'] === 'UNAUTHENTICATED',
          );
          const token = currentToken();
          if (isRefused && token) void recheckSession(token);
        },
      }),
      cacheExchange,
      fetchExchange,
    ],
  });
}
