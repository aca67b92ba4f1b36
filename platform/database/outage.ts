import { ApiError, outcomeUnknown } from '../errors.js';

/**
 * How to read these tables: an error with one of these marks says nothing about what was asked, only that the database
 * could not do it now. The same statement may well succeed at another try, so clients are told 503 and to come back, and
 * no event is set aside for it.
 *
 * With these nobody can ask anything:
 */
const awayStates: readonly RegExp[] = [
  // The connection was lost, or pgbouncer has none.
  /^08/,
  // The server became a standby.
  /^25006$/,
  // The login is not (yet) let in: after a restore, on a standby that was promoted, while a password is changed.
  /^28/,
  // The database is away: dropped and not restored yet.
  /^3D000$/,
  // Out of connections.
  /^53300$/,
  // Stopping, starting, restoring.
  /^57P/,
];

/** With these the server answers others; one statement may fail of them for ever, if it asks for too much: */
const busyStates: readonly RegExp[] = [
  // The transaction has failed before, or was ended for its idleness or length.
  /^25P/,
  // Deadlocks and serialization failures.
  /^40/,
  // Out of memory or disk.
  /^53/,
  // A lock was not given in time.
  /^55P03$/,
  // Cancelled or timed out.
  /^57/,
  // The disk fails.
  /^58030$/,
];

const networkErrors: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  // Out of file descriptors.
  'EMFILE',
  'ENFILE',
  'ERR_STREAM_DESTROYED',
  'ERR_SOCKET_CLOSED',
]);

// What pg, its pool and kysely say without a code.
const words: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client was closed and is not queryable',
  'Client has encountered a connection error and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'driver has already been destroyed',
]);

const sqlState = /^[0-9A-Z]{5}$/;

/** Whether a database error is one that passes: the same statement may well succeed at another try. */
export function isPassing(error: unknown): boolean {
  return isAway(error) || isOneOf(busyStates, sqlCodeOf(error));
}

/** Whether it says that the database cannot be asked anything. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlCodeOf(error);
  if (networkErrors.has(code)) return true;
  // A socket file that is not there.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect';
  return sqlState.test(code) ? isOneOf(awayStates, code) : words.has(error.message);
}

function isOneOf(states: readonly RegExp[], code: string): boolean {
  return sqlState.test(code) && states.some((state) => state.test(code));
}

/** PostgreSQL's SQLSTATE, or the name of a network error; empty for anything else. */
export function sqlCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/**
 * Marks an error of a transaction that may have been committed all the same. A property, which the ORM's exceptions take
 * over from what they wrap. To who repeats by design it stays what it is: one that passes.
 */
export function markInDoubt(error: unknown): unknown {
  return error instanceof Error ? Object.assign(error, { isInDoubt: true }) : error;
}

function isInDoubt(error: unknown): boolean {
  return error instanceof Error && 'isInDoubt' in error && error.isInDoubt === true;
}

/**
 * Whether a COMMIT that ended with this error may have been done: the server was lost or cut off with the answer, which
 * it keeps while its synchronous standby is away. Anything else that it says of a COMMIT undoes the transaction, and what
 * pg refuses to send was never heard.
 */
export function isLostAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || unsent.test(error.message)) return false;
  // Its end for idleness was before the COMMIT.
  if (sqlCodeOf(error).startsWith('25P')) return false;
  const severity = 'severity' in error ? error.severity : undefined;
  return isAway(error) || severity === 'FATAL' || severity === 'PANIC';
}

const unsent = /^Client (was closed|has encountered a connection error) and is not queryable$/;

export const databaseAwayReason = 'DATABASE_AWAY';

/**
 * What a caller is told of an error that passes: to come again where nothing was done, with a reason where nobody could be
 * served.
 */
export function databaseAway(cause: unknown): ApiError {
  if (isInDoubt(cause)) return outcomeUnknown(cause);
  return new ApiError('UNAVAILABLE', 'The panel cannot reach its database just now', {
    ...(isAway(cause) ? { reason: databaseAwayReason } : {}),
    retryAfterSeconds: 5,
    cause,
  });
}
