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
  /** 401, in the panel's words: the token or the credential no longer counts. */
  | { readonly kind: 'unauthorized'; readonly status: number; readonly message: string }
  /** The panel understood and said no; the same call again would get the same answer. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      /** The panel's word for programs, such as COMMAND_FINISHED. */
      readonly reason?: string;
      readonly isStranger?: true;
    }
  /** Not reachable, overloaded, or not making sense: worth another try. */
  | {
      readonly kind: 'unavailable';
      readonly message: string;
      readonly retryAfterMs?: number;
      /** Said in a panel's words, and not by something before it. */
      readonly isWorded?: true;
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

/** Reads a success, or says why it is none of a panel's. */
type Read<Answer> = (status: number, text: string) => { answer: Answer } | { problem: string };

interface Call<Answer> {
  readonly read: Read<Answer>;
  readonly headers: Record<string, string>;
  /** Its address names something that the panel may have no more. */
  readonly mayBeGone?: true;
}

function json<Answer>(shape: z.ZodType<Answer>): Read<Answer> {
  return (_status, text) => {
    const parsed = shape.safeParse(jsonOrUndefined(text));
    return parsed.success ? { answer: parsed.data } : { problem: problemOf(parsed.error) };
  };
}

/** A panel has nothing more to say. The page of a captive portal with its 200 is no consent. */
const noContent: Read<undefined> = (status) =>
  status === 204 ? { answer: undefined } : { problem: 'it would answer 204' };

/** The panel as seen by a node: a few REST calls whose every ending is an Outcome; they never throw. */
export function createPanelClient(options: PanelClientOptions): PanelClient {
  const base = options.panelUrl.endsWith('/') ? options.panelUrl : `${options.panelUrl}/`;

  async function post<Answer>(
    path: string,
    body: Record<string, unknown>,
    call: Call<Answer>,
    signal: AbortSignal,
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
        headers: { 'content-type': 'application/json', accept: 'application/json', ...call.headers },
        body: JSON.stringify(body),
        // Following one would turn the POST into a GET, or hand the credential to another host.
        redirect: 'manual',
        signal: deadline.signal,
      });
      return judge(url, response, await readBounded(response), call, options.clock.now());
    } catch (error) {
      return { kind: 'unavailable', message: describe(error, options.clock.now()) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
    }
  }

  return {
    enroll: (enrollment, key, signal) =>
      post(
        'api/agent/enroll',
        enrollBody(enrollment),
        { read: json(enrollAnswer), headers: { 'idempotency-key': key } },
        signal,
      ),
    beat: (credential, body, signal) =>
      post('api/agent/heartbeat', body, { read: json(beatAnswer), headers: bearer(credential) }, signal),
    redeem: (credential, token, signal) =>
      post(
        'api/agent/impersonation/redeem',
        { token },
        { read: json(redeemAnswer), headers: bearer(credential) },
        signal,
      ),
    depart: (credential, signal) =>
      post('api/agent/departure', {}, { read: noContent, headers: bearer(credential) }, signal),
    report: (credential, { id, lease }, report, signal) =>
      post(
        `api/agent/commands/${encodeURIComponent(id)}/result`,
        { lease, ...report },
        { read: noContent, headers: bearer(credential), mayBeGone: true },
        signal,
      ),
  };
}

function bearer(credential: string): Record<string, string> {
  return { authorization: `Bearer ${credential}` };
}

function judge<Answer>(
  url: URL,
  response: Response,
  text: string,
  { read, ...of }: Call<Answer>,
  now: Date,
): Outcome<Answer> {
  const { status } = response;
  if (response.ok) {
    const found = read(status, text);
    if ('answer' in found) return { kind: 'ok', answer: found.answer };
    const message = `${strange(url, response, text)}; as a panel's that makes no sense (${found.problem})`;
    return { kind: 'unavailable', message, isStranger: true };
  }
  const message = messageOf(status, text, response.headers.get('location'));
  const isPanels = isWorded(text);
  if (status === 401 && isPanels) return { kind: 'unauthorized', status, message };
  if (status < 500 && !passing.has(status)) {
    // A panel has these addresses, and says in words why it refuses.
    const isUnknown = status === 405 || (status === 404 && !of.mayBeGone);
    const isStranger = isUnknown || (status >= 400 && !isPanels);
    if (isStranger) return { kind: 'refused', status, message: strange(url, response, text), isStranger };
    const reason = response.headers.get('x-error-reason');
    return { kind: 'refused', status, message, ...(reason === null ? {} : { reason }) };
  }
  return {
    kind: 'unavailable',
    message,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), saidAt(response) ?? now),
    ...(isPanels ? { isWorded: true } : {}),
  };
}

/** A date to come back at is meant by the clock of who says it: ours may be hours off. */
function saidAt({ headers }: Response): Date | undefined {
  const at = new Date(headers.get('date') ?? '');
  return Number.isNaN(at.getTime()) ? undefined : at;
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
function describe(error: unknown, now: Date): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return describe(cause.errors[0], now);
  if (cause instanceof Error) return describe(cause, now);
  const message = error.message || error.name;
  // More often than the certificate it is a machine that does not know the time yet.
  const isOfTime = 'code' in error && ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'].includes(String(error.code));
  return isOfTime ? `${message}, by this machine's clock, which says ${now.toISOString()}` : message;
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
