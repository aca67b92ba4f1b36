import type { z } from 'zod';

import type { Session } from './driver.js';
import { isPassing, ProviderError, tokenEnded, type ProviderErrorKind } from './provider-error.js';

export interface ApiOptions {
  /** With its version, as in https://api.hetzner.cloud/v1. */
  base: string;
  timeoutMs: number;
}

/** A refusal as the provider sent it; `json` is undefined where it is none. */
export interface Refusal {
  response: Response;
  json: unknown;
}

/** A provider over HTTP: one call, one answer that was looked at. */
export class ProviderApi {
  constructor(
    private readonly name: string,
    private readonly options: ApiOptions,
    private readonly errorOf: (refusal: Refusal) => ProviderError,
  ) {}

  /** `line` is a method and a path: `GET /servers`. */
  async call<Schema extends z.ZodType>(
    session: Session,
    line: string,
    schema: Schema,
    body?: object,
  ): Promise<z.infer<Schema>> {
    if (session.token === null) throw new ProviderError('UNAUTHORIZED', tokenEnded);
    const { response, text } = await this.send(session, line, body);
    const json = parsed(text);
    if (!response.ok) throw this.errorOf({ response, json });
    const answer = schema.safeParse(json ?? {});
    if (answer.success) return answer.data;
    throw new ProviderError('AWAY', `${this.name} gave an answer that is none (status ${response.status})`, {
      cause: answer.error,
    });
  }

  private async send(
    { token, signal, onBudget }: Session,
    line: string,
    body?: object,
  ): Promise<{ response: Response; text: string }> {
    const [method = 'GET', path = ''] = line.split(' ');
    try {
      const response = await fetch(this.options.base + path, {
        method,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${token}`,
          'user-agent': 'quazzar-control-panel',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([AbortSignal.timeout(this.options.timeoutMs), ...(signal ? [signal] : [])]),
      });
      const text = await response.text();
      const limit = response.headers.get('ratelimit-limit');
      const left = response.headers.get('ratelimit-remaining');
      if (limit !== null && left !== null) onBudget(Number(limit), Number(left));
      return { response, text };
    } catch (cause) {
      const isLate = cause instanceof Error && cause.name === 'TimeoutError';
      throw new ProviderError(
        'AWAY',
        isLate ? `${this.name} did not answer in time` : `${this.name} can not be reached`,
        { cause },
      );
    }
  }
}

/** What an answer without a body of the provider's own means: something in between has answered. */
export function wordless(name: string, response: Response): ProviderError {
  const { status } = response;
  const kind = wordlessKinds[status] ?? 'AWAY';
  return new ProviderError(kind, `${name} answered with status ${status}`, pauseOf(kind, response));
}

const wordlessKinds: Readonly<Record<number, ProviderErrorKind>> = {
  401: 'UNAUTHORIZED',
  429: 'RATE_LIMITED',
};

const shortestPauseMs = 1_000;
const longestPauseMs = 5 * 60_000;

/**
 * When a provider may be asked again: at the moment that it names, or else, where its allowance is spent, when there is
 * something to spend. That comes back bit by bit, so the whole hour is not waited for.
 */
export function pauseOf(kind: ProviderErrorKind, { headers }: Response): { retryAfterMs?: number } {
  if (!isPassing(kind)) return {};
  const toldMs = msUntil(headers.get('retry-after'));
  if (toldMs !== undefined)
    return { retryAfterMs: Math.min(Math.max(toldMs, shortestPauseMs), longestPauseMs) };
  if (kind !== 'RATE_LIMITED') return {};
  const resetMs = Number(headers.get('ratelimit-reset') ?? 0) * 1000 - Date.now();
  return { retryAfterMs: Math.min(Math.max(Number.isFinite(resetMs) ? resetMs : 0, 5_000), 60_000) };
}

/** Of a `Retry-After`: seconds, or a date. */
function msUntil(told: string | null): number | undefined {
  if (told === null) return undefined;
  const ms = /^\d+$/.test(told) ? Number(told) * 1000 : Date.parse(told) - Date.now();
  return Number.isFinite(ms) ? ms : undefined;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
