import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';

/** Why a call to a cluster came to nothing. */
export type KubeErrorKind =
  /** It could not be talked to. */
  | 'UNREACHABLE'
  /** Its address is none that the panel may talk to. */
  | 'TARGET_REFUSED'
  /** Its certificate is not what the kubeconfig says. */
  | 'CERTIFICATE'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID'
  /** What was asked for is kept no more: lists have to be read anew. */
  | 'EXPIRED'
  /** It is not the cluster that was registered. */
  | 'OTHER_CLUSTER'
  /** More than the panel reads in one answer. */
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  /** It answered, but not as it should. */
  | 'FAILED';

/** One reason among several, as the API server tells it. */
export interface Cause {
  reason?: string;
  message?: string;
  field?: string;
}

export class KubeError extends Error {
  override readonly name = 'KubeError';

  constructor(
    readonly kind: KubeErrorKind,
    message: string,
    readonly options: {
      causes?: readonly Cause[];
      retryAfterMs?: number;
      /** Of the answer, if there was one. */
      status?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }

  /** Whether it is known that nothing was done. */
  get isRefusal(): boolean {
    return !['UNREACHABLE', 'FAILED', 'RATE_LIMITED', 'TOO_LARGE'].includes(this.kind);
  }

  /** Whether the cluster would refuse the same again, whatever becomes of its credential, its certificate and its address. */
  get isFinal(): boolean {
    return ['FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'INVALID'].includes(this.kind);
  }
}

const kinds: Readonly<Record<number, KubeErrorKind>> = {
  400: 'INVALID',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'EXPIRED',
  422: 'INVALID',
  429: 'RATE_LIMITED',
};

/** Nobody says as much who only refuses. */
const longestError = 64 * 1024;

/**
 * What an answer that is no success says. Only an API server writes a Status object: whoever else stands at the address, as
 * a proxy does, knows nothing of what is there and refuses nothing in its name.
 */
export function errorOf(status: number, text: string, retryAfter: string | undefined): KubeError {
  let said: { kind?: unknown; reason?: unknown; message?: unknown; details?: { causes?: unknown } | null } =
    {};
  try {
    const parsed: unknown = text.length > longestError ? undefined : JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) said = parsed;
  } catch {
    // A proxy in between, or a check's plain text.
  }
  const message =
    typeof said.message === 'string' ? mended(headOf(said.message, 1_000)) : `it answered with ${status}`;
  const causes = Array.isArray(said.details?.causes) ? said.details.causes.slice(0, 50).map(causeOf) : [];
  const seconds = Number(retryAfter);
  const isStatus = said.kind === 'Status' && (status !== 404 || said.reason === 'NotFound');
  const isStranger = !isStatus && spokenFor.has(status);
  return new KubeError(isStranger ? 'FAILED' : (kinds[status] ?? 'FAILED'), message, {
    causes,
    status,
    ...(seconds > 0 ? { retryAfterMs: Math.min(seconds, 300) * 1000 } : {}),
  });
}

/** What is said of an object or of a wish, and so by an API server alone. */
const spokenFor: ReadonlySet<number> = new Set([400, 403, 404, 409, 410, 422]);

/** Objects of a stranger: whatever is no text in them is left out. */
function causeOf(told: unknown): Cause {
  const { reason, message, field } = (told ?? {}) as Record<string, unknown>;
  const texts = Object.entries({ reason, message, field }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts.map(([name, text]) => [name, mended(headOf(text, 1_000))]));
}

const certificateCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What it is that a request came to no answer. */
export function unreachable(cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  const { code, reason, message } = cause as { code?: string; reason?: string; message?: string };
  if (reason === 'TARGET_REFUSED')
    return new KubeError('TARGET_REFUSED', message ?? 'Its address is refused', { cause });
  if (reason === 'TOO_LARGE') return new KubeError('TOO_LARGE', message ?? 'It is too large', { cause });
  if (code !== undefined && certificateCodes.has(code))
    return new KubeError(
      'CERTIFICATE',
      `Its certificate is not good for this address and authority (${code})`,
      { cause },
    );
  const isLate = (cause as Error | undefined)?.name === 'TimeoutError';
  return new KubeError('UNREACHABLE', isLate ? 'It did not answer in time' : 'It could not be reached', {
    cause,
  });
}
