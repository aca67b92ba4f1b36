import type { GraphQLError } from 'graphql';

import {
  ApiError,
  argumentInvalid,
  isErrorCode,
  isOutcomeUnknown,
  type ErrorCode,
} from '#platform/errors.js';

import { snakeCase } from './text.js';

/** The one table from a GraphQL error code to an HTTP status. */
const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  PLAN_REQUIRED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  LIMIT_REACHED: 409,
  VALIDATION_FAILED: 422,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/**
 * The status of an error. Of what may have been done or not haproxy says 502, without Retry-After: 503 says that nothing
 * was done.
 */
export function statusOf(code: ErrorCode, reason?: string): number {
  return isOutcomeUnknown({ code, reason }) ? 502 : statusOfCode[code];
}

/** The contract promises Retry-After on these, also when whoever refused did not say how long. */
const defaultRetryAfterSeconds: Readonly<Record<number, number>> = { 429: 60, 503: 5 };

export interface RefusalOptions {
  code?: ErrorCode;
  reason?: string;
  details?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
  headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  cause?: unknown;
}

/** A refusal on its way out: its message and details are what the client will read. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    message: string,
    readonly options: RefusalOptions = {},
  ) {
    super(message, { cause: options.cause });
    const retryAfter = options.retryAfterSeconds ?? defaultRetryAfterSeconds[status];
    const retries = status in defaultRetryAfterSeconds && retryAfter !== undefined;
    this.headers = {
      ...options.headers,
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(options.reason === undefined ? {} : { 'X-Error-Reason': options.reason }),
      ...(retries ? { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) } : {}),
    };
  }

  static of(code: ErrorCode, message: string, options: RefusalOptions = {}): Refusal {
    return new Refusal(statusOf(code, options.reason), message, { ...options, code });
  }

  /** The words are constant: the cause is for the log. */
  static internal(cause: unknown): Refusal {
    return Refusal.of('INTERNAL', 'Internal server error', { cause });
  }
}

/**
 * What a client may read of a thrown error or a GraphQL error. `asSent` turns a path in the GraphQL arguments into
 * the name that the client wrote.
 */
export function toRefusal(error: unknown, asSent: (argumentPath: string) => string = String): Refusal {
  if (error instanceof Refusal) return error;
  const { message, extensions } = readError(error);
  const code = extensions.code;
  // An error without a code of ours (a bug, or a document the gateway refuses) has words meant for nobody outside.
  if (!isErrorCode(code) || code === 'INTERNAL') return Refusal.internal(error);
  const details = isRecord(extensions.details) ? extensions.details : undefined;
  const reason = typeof extensions.reason === 'string' ? extensions.reason : undefined;
  // An argument is a query parameter here: one sentence, as of all that is wrong with those.
  if (reason === argumentInvalid && details)
    return Refusal.of(code, sentenceOf(renameKeys(details, asSent)), { reason, cause: error });
  const namesFields = code === 'VALIDATION_FAILED' || code === 'BAD_REQUEST';
  return Refusal.of(code, code === 'VALIDATION_FAILED' && details ? 'Validation failed' : message, {
    ...(reason === undefined ? {} : { reason }),
    ...(typeof extensions.retryAfterSeconds === 'number'
      ? { retryAfterSeconds: extensions.retryAfterSeconds }
      : {}),
    ...(details ? { details: renameKeys(details, namesFields ? asSent : snakeCase) } : {}),
    cause: error,
  });
}

/** The JSON body of a refusal. */
export function refusalBody(refusal: Refusal): Record<string, unknown> {
  const { details } = refusal.options;
  return details ? { error: refusal.message, details } : { error: refusal.message };
}

function readError(error: unknown): Pick<GraphQLError, 'message'> & { extensions: Record<string, unknown> } {
  if (error instanceof ApiError) return { message: error.message, extensions: { ...error.extensions } };
  // By shape, not by class: a gateway may hand on errors made by another copy of graphql.
  if (isRecord(error) && typeof error.message === 'string' && isRecord(error.extensions)) {
    return { message: error.message, extensions: error.extensions };
  }
  return { message: '', extensions: {} };
}

function sentenceOf(rules: Record<string, unknown>): string {
  return Object.entries(rules)
    .map(([name, rule]) => `${name} ${String(rule)}`)
    .join('; ');
}

function renameKeys(
  details: Record<string, unknown>,
  rename: (key: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [rename(key), value]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
