import type { ErrorCode } from '#platform/errors.js';

import type { Refusal } from './errors.js';

/** The error words of RFC 6749 (sections 5.2 and 4.1.2.1) and the status each is answered with. */
const statusOfWord: Readonly<Record<string, number>> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  access_denied: 400,
};

const wordOfCode: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'invalid_client',
  FORBIDDEN: 'unauthorized_client',
  PLAN_REQUIRED: 'unauthorized_client',
  RATE_LIMITED: 'temporarily_unavailable',
  UNAVAILABLE: 'temporarily_unavailable',
  INTERNAL: 'server_error',
};

/** A refusal as RFC 6749 writes it: the reason where it is one of its words, else the nearest word to the code. */
export function oauthError(refusal: Refusal): { status: number; body: Record<string, unknown> } {
  const { code, reason, details } = refusal.options;
  const word = wordOf(code, reason);
  // 413, 415 and the refusals that come with Retry-After or hide a cause keep their own status.
  const ownStatus = code === undefined || refusal.status >= 429;
  const status = ownStatus ? refusal.status : (statusOfWord[word] ?? refusal.status);
  const description = details ? Object.values(details).map(String).join('; ') : refusal.message;
  return { status, body: { error: word, error_description: plain(description) } };
}

function wordOf(code: ErrorCode | undefined, reason: string | undefined): string {
  const word = reason?.toLowerCase();
  if (word !== undefined && Object.hasOwn(statusOfWord, word)) return word;
  return (code && wordOfCode[code]) ?? 'invalid_request';
}

/** RFC 6749 allows error_description only printable ASCII without quote and backslash. */
function plain(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}
