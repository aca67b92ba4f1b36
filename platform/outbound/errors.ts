/**
 * Why an outbound request came to nothing. UNREACHABLE covers all that can go wrong in talking to the other end: no
 * address, a refused connection, a certificate that does not fit, an answer that cannot be read.
 */
export const outboundReasons = [
  'BAD_URL',
  'TARGET_REFUSED',
  'TIMEOUT',
  'TOO_LARGE',
  'TOO_MANY_REDIRECTS',
  'UNREACHABLE',
] as const;

export type OutboundReason = (typeof outboundReasons)[number];

/**
 * The message may be shown to whoever gave the address: it names the host as it was given, never what that resolved
 * to. The cause is for the log only.
 */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';

  constructor(
    readonly reason: OutboundReason,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}
