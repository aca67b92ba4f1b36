// Runs in the browser, as it is. React and GraphiQL are globals of the scripts that the page loads before.
import { createClient } from './graphql-ws/client.js';

const url = new URL('/graphql', location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

/** One socket per Authorization header: the server reads it when the socket opens. */
const clients = new Map();

function clientFor(headers) {
  const authorization = headers.Authorization ?? headers.authorization;
  if (!clients.has(authorization)) {
    const connectionParams = authorization ? { authorization } : {};
    clients.set(
      authorization,
      createClient({ url: socketUrl.href, connectionParams, lazyCloseTimeout: 1000 }),
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

/** The header that the editor offers counts only once a token was typed into it. */
function withoutEmptyToken({ Authorization, ...headers }) {
  return Authorization && Authorization.trim() !== 'Bearer' ? { Authorization, ...headers } : headers;
}

function fetcher(params, { headers: typed, documentAST } = {}) {
  const headers = withoutEmptyToken(typed ?? {});
  if (isSubscription(params, documentAST)) return clientFor(headers).iterate(params);
  return post(params, headers);
}

const { React, ReactDOM, GraphiQL } = globalThis;
ReactDOM.createRoot(document.querySelector('#graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    defaultHeaders: '{\n  "Authorization": "Bearer "\n}',
    defaultEditorToolsVisibility: 'headers',
  }),
);
