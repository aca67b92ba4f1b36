import type { Request, Response } from 'graphql-http';

// As Apollo's clients know it; they go by the message or the code, and then send the text.
const notSupported = JSON.stringify({
  errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
});

/** Answers a request that has the hash of a query in the place of its text: texts are not kept under hashes here. */
export function refusePersistedQuery({ method, url, body }: Request<unknown, unknown>): Response | undefined {
  const isHashOnly = method === 'GET' ? inSearch(url) : inBody(body);
  if (!isHashOnly) return undefined;
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return [notSupported, { status: 200, statusText: 'OK', headers }];
}

function inSearch(url: string): boolean {
  const search = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  return !search.get('query') && isPersisted(parse(search.get('extensions')));
}

function inBody(body: unknown): boolean {
  // Most bodies are none, and are parsed by the handler only.
  if (typeof body !== 'string' || !body.includes('"persistedQuery"')) return false;
  const { query, extensions } = (parse(body) ?? {}) as { query?: unknown; extensions?: unknown };
  return (query === undefined || query === null || query === '') && isPersisted(extensions);
}

function isPersisted(extensions: unknown): boolean {
  return typeof extensions === 'object' && extensions !== null && 'persistedQuery' in extensions;
}

function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
