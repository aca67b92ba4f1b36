import { isSafeRedirect } from '#platform/safe-redirect.js';

/**
 * Whether a registered redirect URI may be used: character by character the same (RFC 9700, section 4.1.1), without a
 * fragment, and https unless it leads to the user's own machine.
 */
export function isAllowedRedirect(registered: readonly string[], wanted: string): boolean {
  return registered.includes(wanted) && isSafeRedirect(wanted);
}

/** The URI, otherwise left as it is, with parameters added behind those it has. */
export function withParameters(uri: string, parameters: Record<string, string | null | undefined>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] != null);
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(given).toString()}`;
}
