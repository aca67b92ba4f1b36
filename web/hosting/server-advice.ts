import type { ServerStatus } from '../generated/graphql.ts';

/** What to do about a reason, for whoever reads the page. */
const advice: Record<string, string> = {
  SOLD_OUT: 'Remove it, and order another size or another region.',
  NAME_TAKEN: 'Remove it, and order it under a name that the provider does not have yet.',
  QUOTA_REACHED:
    'The account may have no more servers at the provider: give one up there, or ask the provider for more. Then order it again.',
  REFUSED: 'The provider does not take the order as it is. Remove it, and order one that is otherwise.',
  TOKEN_REFUSED:
    'Connect the provider anew at Servers, with a token that may read and write. Then order it again.',
  PROVIDER_FAILED: 'The provider could not make it. Remove it, and order it again.',
  ENROLLMENT_TIMED_OUT:
    'The machine runs and is paid for. Look at its log at the provider; when its node comes after all, it counts. Or remove it.',
  SERVER_GONE:
    'It was deleted at the provider, or the account is another one. Remove it here, so that its name is free.',
  LEFT_BEHIND: 'It was left at the provider when its account was disconnected, and is paid for there.',
  UNASKED: 'If nobody needs it, remove it: it is paid for.',
  DELETION_DELAYED:
    'It is tried until it is done. Where it is protected at the provider, take that off there; then it goes within ten minutes.',
  LEFTOVERS: 'Delete at the provider what nobody needs of it.',
};

/** What can be done about it; undefined where nothing has to be. */
export function adviceOf(reason: string | null, status: ServerStatus): string | undefined {
  if (reason === null) return undefined;
  if (reason === 'PROVIDER_AWAY') {
    return status === 'FAILED'
      ? 'The provider could not be asked for long. Remove it, and order it again.'
      : 'It is tried again by itself.';
  }
  if (reason === 'TOKEN_REFUSED' && status !== 'FAILED')
    return 'Connect the provider anew at Servers, with a token that may read and write: it then goes on by itself.';
  return advice[reason];
}
