/**
 * The closed list of error codes that clients see in `extensions.code`. The REST layer maps each to one status
 * (rest-compat/errors.ts). A finer cause is a `reason`, never a new code.
 */
export const errorCodes = [
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PLAN_REQUIRED',
  'NOT_FOUND',
  'CONFLICT',
  'LIMIT_REACHED',
  'VALIDATION_FAILED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ApiErrorOptions {
  /** A stable word for programs, finer than the code: `TOKEN_EXPIRED`, `EMAIL_TAKEN`. */
  reason?: string;
  /**
   * For VALIDATION_FAILED: input path (`input.maxUses`) to sentence. For LIMIT_REACHED: `limit`, `used`, and the `plan` that
   * would do. For ARGUMENT_INVALID: argument to rule. For FAILOVER_UNDER_WAY: `target`.
   */
  details?: Record<string, unknown>;
  /** Seconds after which a retry makes sense (RATE_LIMITED, UNAVAILABLE). */
  retryAfterSeconds?: number;
  /** For the log only; never shown to the caller. */
  cause?: unknown;
}

/** The only error whose message reaches a caller; anything else thrown becomes INTERNAL with its words hidden. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** graphql-js copies this onto the GraphQLError that wraps a thrown error. */
  readonly extensions: {
    code: ErrorCode;
    reason?: string;
    details?: Record<string, unknown>;
    retryAfterSeconds?: number;
  };

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ApiErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.extensions = {
      code,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.details === undefined ? {} : { details: options.details }),
      ...(options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds }),
    };
  }
}

/** The reason of an UNAVAILABLE of which nobody knows whether it was done. It has no `retryAfterSeconds`. */
export const outcomeUnknownReason = 'OUTCOME_UNKNOWN';

/**
 * For what may have been done or not. Many clients repeat by themselves what is told to come again, a POST too, so this
 * is never told with a time to do so; deploy/cluster/502.http has the same words.
 */
export function outcomeUnknown(cause?: unknown): ApiError {
  return new ApiError(
    'UNAVAILABLE',
    'The answer was lost while the panel was at this request, which may have been done or not. Look before repeating it, ' +
      'or, where an Idempotency-Key counts, repeat it with the same Idempotency-Key',
    { reason: outcomeUnknownReason, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Whether these are the extensions of such an error. */
export function isOutcomeUnknown({ code, reason }: { code?: unknown; reason?: unknown }): boolean {
  return code === 'UNAVAILABLE' && reason === outcomeUnknownReason;
}

/** A failure that the operator can mend. Its message says how, and is all that is printed of it. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}

/** One refused field. `path` is the path in the GraphQL arguments, as in `input.maxUses`. */
export function invalid(path: string, sentence: string): ApiError {
  return new ApiError('VALIDATION_FAILED', 'Validation failed', { details: { [path]: sentence } });
}

/**
 * An argument that is of the right type and means nothing: BAD_REQUEST. The rule stands apart from the name, since REST
 * knows the argument by another one.
 */
export function badArgument(name: string, rule: string): ApiError {
  return new ApiError('BAD_REQUEST', `${name} ${rule}`, {
    reason: argumentInvalid,
    details: { [name]: rule },
  });
}

export const argumentInvalid = 'ARGUMENT_INVALID';

export function notFound(what: string): ApiError {
  return new ApiError('NOT_FOUND', `${what} not found`);
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && (errorCodes as readonly string[]).includes(code);
}
