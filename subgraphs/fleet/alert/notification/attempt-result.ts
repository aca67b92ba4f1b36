/** How one attempt at a delivery went. */
export interface AttemptResult {
  statusCode: number | null;
  /** For the tenant to read; null when the other end took it. */
  error: string | null;
  /** As the other end asks for it. */
  retryAfterSeconds?: number | undefined;
  /** Trying again would change nothing. */
  isFinal?: boolean;
  /** The other end says that it is gone for good (410). */
  isGone?: boolean;
  /** Of an error, for the log: it may tell of the operator's own servers. */
  cause?: unknown;
}

/** The end of a delivery that was not even tried. */
export function givenUp(error: string): AttemptResult {
  return { statusCode: null, error, isFinal: true };
}
