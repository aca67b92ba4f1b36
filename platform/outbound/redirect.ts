import { OutboundError } from './errors.js';

/** One request on its way: redirects make the next one out of it. */
export interface Hop {
  url: URL;
  method: string;
  headers: Headers;
  body: string | Uint8Array | undefined;
}

const redirects = new Set([301, 302, 303, 307, 308]);

// What may follow a redirect to another origin. A list of secrets to drop could never be complete.
const harmless = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/** The address that an answer redirects to, or undefined when it is not a redirect. */
export function locationOf(status: number, headers: Headers): string | undefined {
  return redirects.has(status) ? (headers.get('location') ?? undefined) : undefined;
}

/** The request after a redirect (RFC 9110, section 15.4, as browsers do it); refuses to leave https for http. */
export function followed(from: Hop, to: URL, status: number): Hop {
  if (from.url.protocol === 'https:' && to.protocol === 'http:') {
    throw new OutboundError('TARGET_REFUSED', `${from.url.host} redirects from https to http`);
  }
  const headers = new Headers(from.headers);
  if (from.url.origin !== to.origin) {
    for (const name of from.headers.keys()) if (!harmless.has(name)) headers.delete(name);
  }
  const becomesGet =
    (status === 303 && from.method !== 'HEAD') ||
    ((status === 301 || status === 302) && from.method === 'POST');
  if (!becomesGet) return { ...from, url: to, headers };
  for (const name of from.headers.keys()) if (name.startsWith('content-')) headers.delete(name);
  return { url: to, method: 'GET', headers, body: undefined };
}
