import { ProviderError, type ProviderErrorKind } from './provider-error.js';

const ofToken: readonly ProviderErrorKind[] = ['UNAUTHORIZED', 'READ_ONLY'];

/**
 * Makes a call that a provider refuses for what it is, and throws where it refuses it for the token, or could not be asked:
 * that comes first, so whatever else it says of the call the token may make such.
 */
export async function tryToken(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ProviderError) || ofToken.includes(error.kind) || error.isPassing) throw error;
  }
}
