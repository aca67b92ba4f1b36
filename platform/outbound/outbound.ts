import type { IncomingHttpHeaders } from 'node:http';

import { errors, type Agent, type Dispatcher } from 'undici';

import type { Logger } from '../logger.js';
import { traced } from '../telemetry/tracing.js';
import { aborted } from './aborted.js';
import { acceptedEncodings, assertFits, readBody } from './body.js';
import { createGuardedDispatcher, type DispatcherOptions } from './dispatcher.js';
import { OutboundError } from './errors.js';
import { TargetGuard, type CheckedTarget, type UrlRules } from './guard.js';
import { followed, locationOf, type Hop } from './redirect.js';
import type { Resolve } from './resolve.js';

/** Bounds of one exchange. */
export interface OutboundLimits {
  /** For all of it: name, connection, redirects, body. */
  timeoutMs: number;
  /** Of the answer's body, on the wire and decompressed. */
  maxBytes: number;
  maxRedirects: number;
}

export interface OutboundOptions extends OutboundLimits, UrlRules {
  /** The setting ALLOW_PRIVATE_TARGETS: CIDRs, addresses, host names and `*.domain`s let through. */
  allowPrivateTargets: readonly string[];
  /** Instead of DNS; its answers are checked all the same. */
  resolve?: Resolve;
  tls?: DispatcherOptions['tls'];
  logger: Logger;
}

export interface OutboundInit extends Partial<OutboundLimits>, UrlRules {
  method?: string;
  /** `Host` and what belongs to the connection is ours to say, and left out. */
  headers?: Record<string, string> | Headers;
  body?: string | Uint8Array;
  signal?: AbortSignal;
}

/** An answer that was read to its end. Any status is an answer; redirects are those that were not followed. */
export interface OutboundResponse {
  status: number;
  headers: Headers;
  /** Where the answer came from in the end. */
  url: string;
  body: Buffer;
  text(): string;
}

/** HTTP to addresses that users give: webhooks, logos, API servers. Whatever goes wrong is an OutboundError. */
export interface Outbound {
  fetch(url: string | URL, init?: OutboundInit): Promise<OutboundResponse>;
  /** For input: refuses an address that no request could go to. */
  checkTarget(url: string | URL, rules?: UrlRules): Promise<CheckedTarget>;
  readonly guard: TargetGuard;
  /** For libraries that take an undici dispatcher. Redirects and limits are up to them. */
  readonly dispatcher: Agent;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

const ofTheConnection =
  /^(host|connection|keep-alive|content-length|transfer-encoding|te|trailer|upgrade|expect|accept-encoding|proxy-.*)$/;

export function createOutbound(options: OutboundOptions): Outbound {
  const guard = new TargetGuard(options);
  const dispatcher = createGuardedDispatcher(guard, {
    connectTimeoutMs: Math.min(connectTimeoutMs, options.timeoutMs),
    tls: options.tls,
  });
  return {
    guard,
    dispatcher,
    checkTarget: (url, rules) => guard.check(url, { ...options, ...rules }),
    fetch: (url, init = {}) => exchange(guard, dispatcher, url, { ...options, ...init }),
    close: () => dispatcher.destroy(),
  };
}

async function exchange(
  guard: TargetGuard,
  dispatcher: Dispatcher,
  address: string | URL,
  init: OutboundInit & OutboundLimits,
): Promise<OutboundResponse> {
  const deadline = AbortSignal.timeout(init.timeoutMs);
  const signal = init.signal ? AbortSignal.any([deadline, init.signal]) : deadline;
  const first: Hop = {
    url: guard.parse(address, init),
    method: (init.method ?? 'GET').toUpperCase(),
    headers: ownHeaders(init.headers),
    body: init.body,
  };
  // Others are not told of the trace, and it is not told more of their addresses than who they are.
  const attributes = { 'http.request.method': first.method, 'server.address': first.url.hostname };
  return traced(first.method, { kind: 'client', attributes }, async (span) => {
    const answer = await follow(guard, dispatcher, first, { ...init, signal, deadline });
    span?.setAttribute('http.response.status_code', answer.status);
    return answer;
  });
}

async function follow(
  guard: TargetGuard,
  dispatcher: Dispatcher,
  first: Hop,
  init: OutboundInit & OutboundLimits & { signal: AbortSignal; deadline: AbortSignal },
): Promise<OutboundResponse> {
  const { signal, deadline } = init;
  let hop = first;
  try {
    for (let redirects = 0; ; redirects += 1) {
      const answer = await send(dispatcher, hop, signal);
      const headers = toHeaders(answer.headers);
      const location = init.maxRedirects > 0 ? locationOf(answer.statusCode, headers) : undefined;
      if (location === undefined) return await read(answer, headers, hop, init.maxBytes);
      discard(answer);
      if (redirects === init.maxRedirects) {
        throw new OutboundError('TOO_MANY_REDIRECTS', `More than ${init.maxRedirects} redirects`);
      }
      hop = followed(hop, guard.parse(against(hop.url, location), init), answer.statusCode);
    }
  } catch (error) {
    if (error instanceof OutboundError) throw error;
    if (signal.aborted && !deadline.aborted) throw signal.reason;
    throw toOutboundError(error, hop.url.host, deadline.aborted, init.timeoutMs);
  }
}

async function send(dispatcher: Dispatcher, hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const answer = dispatcher.request({
    origin: hop.url.origin,
    path: `${hop.url.pathname}${hop.url.search}`,
    method: hop.method,
    headers: {
      'user-agent': 'quazzar-control-panel',
      ...Object.fromEntries(hop.headers),
      'accept-encoding': acceptedEncodings,
    },
    body: hop.body,
    signal,
  });
  // undici notices the signal only once it is connected, and a name may take longer than that to resolve.
  return Promise.race([answer, aborted(signal)]);
}

async function read(
  answer: Dispatcher.ResponseData,
  headers: Headers,
  { url, method }: Hop,
  maxBytes: number,
): Promise<OutboundResponse> {
  const status = answer.statusCode;
  const isEmpty = method === 'HEAD' || status === 204 || status === 304;
  try {
    if (!isEmpty) assertFits(headers.get('content-length'), maxBytes);
    const encoding = isEmpty ? '' : (headers.get('content-encoding') ?? '');
    const body = await readBody(answer.body, encoding, maxBytes);
    return { status, headers, url: url.href, body, text: () => body.toString('utf8') };
  } catch (error) {
    discard(answer);
    throw error;
  }
}

function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy();
}

function against(base: URL, location: string): string {
  if (!URL.canParse(location, base.href))
    throw new OutboundError('BAD_URL', `${base.host} redirects to no valid URL`);
  return new URL(location, base).href;
}

function ownHeaders(given: OutboundInit['headers']): Headers {
  const headers = new Headers(given);
  for (const name of new Headers(given).keys()) if (ofTheConnection.test(name)) headers.delete(name);
  return headers;
}

function toHeaders(raw: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw))
    for (const one of [value ?? []].flat()) headers.append(name, one);
  return headers;
}

function toOutboundError(cause: unknown, host: string, isLate: boolean, timeoutMs: number): OutboundError {
  if (isLate) return new OutboundError('TIMEOUT', `${host} did not answer within ${timeoutMs} ms`, { cause });
  if (cause instanceof errors.ConnectTimeoutError) {
    return new OutboundError('TIMEOUT', `${host} took too long to connect to`, { cause });
  }
  if (cause instanceof errors.HeadersOverflowError) {
    return new OutboundError('TOO_LARGE', `The headers of ${host} are too large`, { cause });
  }
  return new OutboundError('UNREACHABLE', `${host} could not be reached`, { cause });
}
