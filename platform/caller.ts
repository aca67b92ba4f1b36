import type { ApiError } from './errors.js';
import type { RequestContext } from './request-context.js';

/** What is known of whoever makes a request before anything of it is read. */
export interface Caller {
  isSignedIn: boolean;
  /** A node: what it reports is cut and mended where a user's words would be refused. */
  isNode?: boolean;
  /** Why the token that came along is no good. */
  denial?: ApiError;
}

// A symbol, so that copies of the context keep it and nothing that writes the context out does.
const caller = Symbol('caller');
type Known = RequestContext & { [caller]?: Caller };

export function setCaller(context: RequestContext, known: Caller): void {
  (context as Known)[caller] = known;
}

/** Undefined where nobody looked at the token yet. */
export function callerOf(context: RequestContext): Caller | undefined {
  return (context as Known)[caller];
}

/** Nobody in particular: less is done for them. Callers that nobody looked at are the panel's own, or tests. */
export function isStranger(context: RequestContext): boolean {
  return callerOf(context)?.isSignedIn === false;
}
