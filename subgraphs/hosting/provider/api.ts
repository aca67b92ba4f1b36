import type { z } from 'zod';

import type { Session } from './driver.js';
import { ProviderError, tokenEnded } from './provider-error.js';

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
export function wordless(name: string, { status }: Response): ProviderError {
  return new ProviderError(
    status === 401 ? 'UNAUTHORIZED' : 'AWAY',
    `${name} answered with status ${status}`,
  );
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
