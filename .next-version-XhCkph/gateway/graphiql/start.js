import { examples } from './examples.js';
// Runs in the browser, as it is. React and GraphiQL are globals of the scripts that the page loads before.
import { createClient } from './graphql-ws/client.js';

const url = new URL('/graphql', location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

/**
 * A token of the console's session in this browser, where somebody is signed in there.
 * @type {{ token: string | undefined, endsAt: number }}
 */
let session = { token: undefined, endsAt: 0 };

async function renewed() {
  const response = await fetch('/console/session/refresh', {
    method: 'POST',
    headers: { 'x-quazzar-console': '1' },
  });
  if (!response.ok) return { token: undefined, endsAt: Date.now() + 5_000 };
  const { accessToken, expiresIn } = await response.json();
  return { token: accessToken, endsAt: Date.now() + (expiresIn - 30) * 1000 };
}

async function sessionToken() {
  if (session.endsAt > Date.now()) return session.token;
  // The console's tabs take turns by the same lock: a refresh token is good for one use.
  session = navigator.locks
    ? await navigator.locks.request('quazzar-console-session', renewed)
    : await renewed();
  return session.token;
}

/** One socket per Authorization header: the server reads it when the socket opens. */
const clients = new Map();

/** The codes of a token that has ended or does not count. The same one would be refused again and again. */
const refusals = [4401, 4403, 4419];

function clientFor(headers) {
  const authorization = headers.Authorization ?? headers.authorization;
  if (!clients.has(authorization)) {
    const connectionParams = authorization ? { authorization } : {};
    clients.set(
      authorization,
      createClient({
        url: socketUrl.href,
        connectionParams,
        lazyCloseTimeout: 1000,
        shouldRetry: (event) => 'code' in event && !refusals.includes(event.code),
      }),
    );
  }
  return clients.get(authorization);
}

function isSubscription({ operationName }, documentAST) {
  const operations = documentAST?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return chosen?.operation === 'subscription';
}

async function post(params, headers) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
  });
  return response.json();
}

/** The header that the editor offers counts once a token was typed into it; until then it is the console's session. */
async function withToken({ Authorization, ...headers }) {
  if (Authorization && Authorization.trim() !== 'Bearer') return { Authorization, ...headers };
  const token = await sessionToken();
  return token ? { Authorization: `Bearer ${token}`, ...headers } : headers;
}

/** Says why a socket was closed in the place of the answer, where GraphiQL would show an empty object. */
async function* events(params, headers) {
  try {
    yield* clientFor(headers).iterate(params);
  } catch (error) {
    if (!(error instanceof CloseEvent)) throw error;
    const hint = refusals.includes(error.code)
      ? ' Sign in at the console, or put a valid token under Headers.'
      : '';
    throw new Error(`The subscription has ended: ${error.reason || `code ${error.code}`}.${hint}`);
  }
}

async function fetcher(params, { headers: typed, documentAST } = {}) {
  const headers = await withToken(typed ?? {});
  if (isSubscription(params, documentAST)) return events(params, headers);
  return post(params, headers);
}

const headersToFillIn = '{\n  "Authorization": "Bearer "\n}';
const { React, ReactDOM, GraphiQL } = globalThis;
ReactDOM.createRoot(document.querySelector('#graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    defaultHeaders: headersToFillIn,
    // For who has no tabs of their own in this browser.
    defaultTabs: examples.map(({ query, variables }) => ({ query, variables, headers: headersToFillIn })),
    defaultEditorToolsVisibility: 'headers',
  }),
);
