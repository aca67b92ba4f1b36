import type { Session } from '../session/session.entity.js';

/** What a request says of how the user is to be asked (OpenID Connect Core, section 3.1.2.1). */
export interface Interaction {
  /** Nothing may be asked: the answer is a code, or an error that the node gets. */
  isSilent: boolean;
  /** The user signs in anew, whoever is signed in. */
  isLoginWanted: boolean;
  /** How many seconds ago the user may have signed in at most. */
  maxAge: number | null;
}

/** What can be asked for and has an effect. Consent is asked for always, unless nothing may be asked. */
export const prompts = ['none', 'login', 'consent'] as const;

// Of those who sign people in by the API it cannot be seen for which request they did: a sign-in of this long ago counts
// as one for the request that asks for it.
const freshMs = 2 * 60_000;

/** Undefined when `none` is not alone, or the age is no whole number of seconds. Unknown prompts are ignored. */
export function interactionOf(request: {
  prompt?: string | null;
  maxAge?: number | null;
}): Interaction | undefined {
  const wanted = (request.prompt ?? '').split(' ').filter((word) => word !== '');
  const maxAge = request.maxAge ?? null;
  if (wanted.includes('none') && wanted.length > 1) return undefined;
  if (maxAge !== null && (!Number.isSafeInteger(maxAge) || maxAge < 0)) return undefined;
  return { isSilent: wanted.includes('none'), isLoginWanted: wanted.includes('login'), maxAge };
}

/**
 * Whether the user has to sign in before the request goes on. `isFresh` says that they have done so for this very
 * request, where that is known.
 */
export function needsLogin(
  { isLoginWanted, maxAge }: Interaction,
  session: Session,
  now: Date,
  isFresh: boolean | undefined,
): boolean {
  if (isFresh) return false;
  const age = now.getTime() - session.createdAt.getTime();
  if (isLoginWanted || maxAge === 0) return isFresh === false || age > freshMs;
  return maxAge !== null && age > maxAge * 1000;
}
