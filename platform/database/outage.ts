const sqlState = /^[0-9A-Z]{5}$/;
// Lost connections, a server that stops or is full, cancelled statements, deadlocks and lock timeouts.
const passingState = /^(08|25P|40|53|55P03|57)/;
const networkError = /^E[A-Z]+$/;
const lostConnection = /connection|timeout|terminated/i;

/** Whether a database error is one that passes: the same statement may well succeed at another try. */
export function isPassing(error: unknown): boolean {
  const code = sqlCodeOf(error);
  if (sqlState.test(code)) return passingState.test(code);
  return networkError.test(code) || (error instanceof Error && lostConnection.test(error.message));
}

/** PostgreSQL's SQLSTATE, or the name of a network error; empty for anything else. */
export function sqlCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
