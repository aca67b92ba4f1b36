import { z } from 'zod';

import type { Clock } from './clock.js';
import type { CommandReport } from './commands/report.js';
import { redeemAnswer, type Visit } from './impersonation/visits.js';
import { parseRetryAfter } from './pace.js';
import {
  beatAnswer,
  enrollAnswer,
  enrollBody,
  type BeatAnswer,
  type Enrollment,
  type EnrollAnswer,
} from './protocol.js';

/** How a call to the panel ended, in the terms that decide what the agent does next. */
export type Outcome<Answer> =
  | { readonly kind: 'ok'; readonly answer: Answer }
  /** 401: the token or the credential no longer counts. */
  | { readonly kind: 'unauthorized'; readonly status: number; readonly message: string }
  /** The panel understood and said no; the same call again would get the same answer. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      readonly isStranger?: true;
    }
  /** Not reachable, overloaded, or not making sense: worth another try. */
  | {
      readonly kind: 'unavailable';
      readonly message: string;
      readonly retryAfterMs?: number;
      /** What answered is no panel, as far as its answer tells; `message` names the address and what it said. */
      readonly isStranger?: true;
    };

export interface PanelClient {
  enroll(enrollment: Enrollment, key: string, signal: AbortSignal): Promise<Outcome<EnrollAnswer>>;
  beat(credential: string, body: Record<string, unknown>, signal: AbortSignal): Promise<Outcome<BeatAnswer>>;
  report(
    credential: string,
    command: { id: string; lease: string | number },
    report: CommandReport,
    signal: AbortSignal,
  ): Promise<Outcome<undefined>>;
  redeem(credential: string, token: string, signal: AbortSignal): Promise<Outcome<Visit>>;
  /** Says that the agent stops. */
  depart(credential: string, signal: AbortSignal): Promise<Outcome<undefined>>;
}

export interface PanelClientOptions {
  readonly panelUrl: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

const maxAnswerBytes = 1024 * 1024;
/** Statuses that speak of the moment rather than of the request. */
const passing = new Set([408, 425, 429]);
const errorBody = z.object({ error: z.string() });

/** The panel as seen by a node: a few REST calls whose every ending is an Outcome; they never throw. */
export function createPanelClient(options: PanelClientOptions): PanelClient {
  const base = options.panelUrl.endsWith('/') ? options.panelUrl : `${options.panelUrl}/`;

  async function post<Answer>(
    path: string,
    body: Record<string, unknown>,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<Outcome<Answer>> {
    // In real time whatever the agent's clock is: it bounds a socket, not the agent's schedule.
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new Error(`no answer within ${options.timeoutMs / 1000} s`)),
      options.timeoutMs,
    );
    const cut = () => deadline.abort(signal.reason);
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    try {
      const url = new URL(path, base);
      const response = await options.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body: JSON.stringify(body),
        // Following one would turn the POST into a GET, or hand the credential to another host.
        redirect: 'manual',
        signal: deadline.signal,
      });
      return judge(url, response, await readBounded(response), answer, options.clock.now());
    } catch (error) {
      return { kind: 'unavailable', message: describe(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
    }
  }

  return {
    enroll: (enrollment, key, signal) =>
      post('api/agent/enroll', enrollBody(enrollment), enrollAnswer, signal, { 'idempotency-key': key }),
    beat: (credential, body, signal) =>
      post('api/agent/heartbeat', body, beatAnswer, signal, { authorization: `Bearer ${credential}` }),
    redeem: (credential, token, signal) =>
      post('api/agent/impersonation/redeem', { token }, redeemAnswer, signal, {
        authorization: `Bearer ${credential}`,
      }),
    depart: (credential, signal) =>
      post('api/agent/departure', {}, z.undefined(), signal, { authorization: `Bearer ${credential}` }),
    report: (credential, { id, lease }, report, signal) =>
      post(
        `api/agent/commands/${encodeURIComponent(id)}/result`,
        { lease, ...report },
        z.undefined(),
        signal,
        { authorization: `Bearer ${credential}` },
      ),
  };
}

function judge<Answer>(
  url: URL,
  response: Response,
  text: string,
  answer: z.ZodType<Answer>,
  now: Date,
): Outcome<Answer> {
  const { status } = response;
  if (response.ok) {
    const parsed = answer.safeParse(jsonOrUndefined(text));
    if (parsed.success) return { kind: 'ok', answer: parsed.data };
    const message = `${strange(url, response, text)}; as a panel's that makes no sense (${problemOf(parsed.error)})`;
    return { kind: 'unavailable', message, isStranger: true };
  }
  const message = messageOf(status, text, response.headers.get('location'));
  if (status === 401) return { kind: 'unauthorized', status, message };
  if (status < 500 && !passing.has(status)) {
    // A panel has these addresses, and says in words why it refuses.
    const isStranger = status === 404 || status === 405 || (status >= 400 && !isWorded(text));
    if (isStranger) return { kind: 'refused', status, message: strange(url, response, text), isStranger };
    return { kind: 'refused', status, message };
  }
  return {
    kind: 'unavailable',
    message,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), now),
  };
}

function isWorded(text: string): boolean {
  return errorBody.safeParse(jsonOrUndefined(text)).success;
}

/** What somebody who may be no panel has answered, for whoever has to find out who that is. */
function strange({ href }: URL, { status, headers }: Response, text: string): string {
  const type = headers.get('content-type')?.split(';')[0] ?? 'no content type';
  const excerpt = text.replaceAll(/\s+/g, ' ').trim().slice(0, 80).toWellFormed();
  return `${href} answered HTTP ${status} (${type})${excerpt === '' ? '' : `: ${excerpt}`}`;
}

function messageOf(status: number, text: string, location: string | null): string {
  if (status >= 300 && status < 400)
    return `HTTP ${status}: the panel has moved to ${location ?? 'an unnamed place'}`;
  const parsed = errorBody.safeParse(jsonOrUndefined(text));
  return parsed.success
    ? `HTTP ${status}: ${parsed.data.error.slice(0, 300).toWellFormed()}`
    : `HTTP ${status}`;
}

function problemOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'body'}: ${issue.message}`;
}

/** fetch hides what went wrong on the wire in `cause`, at times in several of them. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return describe(cause.errors[0]);
  return cause instanceof Error ? describe(cause) : error.message || error.name;
}

async function readBounded(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxAnswerBytes) throw new Error('the answer is longer than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
