import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';

/**
 * Why a provider did not do what it was asked for. `UNAUTHORIZED` and `READ_ONLY`: the token. `NAME_TAKEN`: another
 * server has the name. `SOLD_OUT`, `QUOTA`, `REFUSED`: final for this request. `BUSY`, `RATE_LIMITED`, `AWAY`: may be
 * asked again; after `AWAY` it is not known whether it was done.
 */
export type ProviderErrorKind =
  | 'UNAUTHORIZED'
  | 'READ_ONLY'
  | 'NAME_TAKEN'
  | 'SOLD_OUT'
  | 'QUOTA'
  | 'REFUSED'
  | 'NOT_FOUND'
  | 'BUSY'
  | 'RATE_LIMITED'
  | 'AWAY';

const passing: readonly ProviderErrorKind[] = ['BUSY', 'RATE_LIMITED', 'AWAY'];

/** Whether what failed for this may be asked again. */
export const isPassing = (kind: ProviderErrorKind): boolean => passing.includes(kind);

const longest = 300;

export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly kind: ProviderErrorKind,
    /** For whoever owns the account: in the provider's words where it has some. */
    message: string,
    readonly options: { retryAfterMs?: number; field?: string; cause?: unknown } = {},
  ) {
    super(
      mended(headOf(message, longest)),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
  }

  /** Whether it may be asked again. */
  get isPassing(): boolean {
    return isPassing(this.kind);
  }
}

/** What is said of an account whose token was given under access that has ended. */
export const tokenEnded = 'The access ended under which its token was given: connect it again';

/** What a call answers, or undefined where what it is about is not there. */
export async function unlessGone<Value>(call: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'NOT_FOUND') return undefined;
    throw error;
  }
}
