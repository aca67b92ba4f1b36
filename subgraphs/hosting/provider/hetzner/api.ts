import type { z } from 'zod';

import type { Session } from '../driver.js';
import { ProviderError, type ProviderErrorKind } from '../provider-error.js';
import { failure } from './wire.js';

/** What Hetzner's codes mean for whoever asked. Codes that are not here are judged by their status. */
const kinds: Readonly<Record<string, ProviderErrorKind>> = {
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'UNAUTHORIZED',
  token_readonly: 'READ_ONLY',
  uniqueness_error: 'NAME_TAKEN',
  resource_unavailable: 'SOLD_OUT',
  placement_error: 'SOLD_OUT',
  resource_limit_exceeded: 'QUOTA',
  not_found: 'NOT_FOUND',
  conflict: 'BUSY',
  locked: 'BUSY',
  rate_limit_exceeded: 'RATE_LIMITED',
  maintenance: 'AWAY',
};

export interface HetznerApiOptions {
  /** With its version, as in https://api.hetzner.cloud/v1. */
  base: string;
  timeoutMs: number;
}

/** Hetzner Cloud over HTTP: one call, one answer that was looked at. */
export class HetznerApi {
  constructor(private readonly options: HetznerApiOptions) {}

  async call<Schema extends z.ZodType>(
    session: Session,
    line: string,
    schema: Schema,
    body?: object,
  ): Promise<z.infer<Schema>> {
    const { status, text } = await this.send(session, line, body);
    const json = parsed(text);
    const answer = schema.safeParse(json ?? {});
    if (answer.success) return answer.data;
    throw new ProviderError('AWAY', `Hetzner gave an answer that is none (status ${status})`, {
      cause: answer.error,
    });
  }

  private async send(
    { token, onBudget }: Session,
    line: string,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    const [method = 'GET', path = ''] = line.split(' ');
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.options.base + path, {
        method,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${token}`,
          'user-agent': 'quazzar-control-panel',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(this.options.timeoutMs),
      });
      text = await response.text();
    } catch (cause) {
      const isLate = cause instanceof Error && cause.name === 'TimeoutError';
      throw new ProviderError(
        'AWAY',
        isLate ? 'Hetzner did not answer in time' : 'Hetzner can not be reached',
        {
          cause,
        },
      );
    }
    const limit = response.headers.get('ratelimit-limit');
    const left = response.headers.get('ratelimit-remaining');
    if (limit !== null && left !== null) onBudget(Number(limit), Number(left));
    if (response.ok) return { status: response.status, text };
    throw errorOf(response, text);
  }
}

function errorOf(response: Response, text: string): ProviderError {
  const told = failure.safeParse(parsed(text));
  if (!told.success) {
    const kind = response.status === 401 ? 'UNAUTHORIZED' : 'AWAY';
    return new ProviderError(kind, `Hetzner answered with status ${response.status}`);
  }
  const { code, message, details } = told.data.error;
  const [field] = details?.fields ?? [];
  const words = field ? `${message}${field.messages?.[0] ? `: ${field.messages[0]}` : ''}` : message;
  const kind = kinds[code] ?? (response.status >= 500 ? 'AWAY' : 'REFUSED');
  return new ProviderError(kind, `Hetzner: ${words} (${code})`, {
    ...(field === undefined ? {} : { field: field.name }),
    ...(kind === 'RATE_LIMITED' ? { retryAfterMs: pauseOf(response) } : {}),
  });
}

/** When there is something to spend again. One comes back each second, so the whole hour is not waited for. */
function pauseOf(response: Response): number {
  const resetMs = Number(response.headers.get('ratelimit-reset') ?? 0) * 1000;
  return Math.min(Math.max(resetMs - Date.now(), 5_000), 60_000);
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
