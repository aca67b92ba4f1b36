import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { sha256 } from '../security/random-token.js';

/**
 * How many attempts fail freely per kind of secret, and how many may be under way at once. After the free ones each
 * attempt is followed by a pause of 1 s, 2 s, 4 s ... 15 min (OWASP Authentication Cheat Sheet: exponential, never for
 * good); 12 hours without a failure forget them.
 */
const allowances = {
  /** Of one sign-in name, whether or not it has an account. */
  account: { free: 5, parallel: 20 },
  /** Of one client address, over all sign-in names; many people may share one. */
  address: { free: 50, parallel: 100 },
  /** Of the current password, asked of someone who is signed in. */
  password: { free: 5, parallel: 5 },
  /** Of one-time and recovery codes: a million codes, three of them right at a time. */
  code: { free: 5, parallel: 5 },
  /** Of mail to one address. */
  mail: { free: 3, parallel: 3 },
} as const;

export type ThrottleKind = keyof typeof allowances;

export interface Attempt {
  /** Set when the attempt may not be made; it is the moment from which the next one may. */
  blockedUntil: Date | undefined;
  /** Says how an admitted attempt ended. FORGIVEN also forgets the failures before it. */
  settle(outcome: 'FAILED' | 'PASSED' | 'FORGIVEN'): Promise<void>;
}

/** Asks for one attempt. The count is in PostgreSQL, so all replicas share it, and outlives a refused mutation. */
export async function admit(operation: Operation, kind: ThrottleKind, subject: string): Promise<Attempt> {
  const key = keyOf(kind, subject);
  const { free, parallel } = allowances[kind];
  const em = operation.database.anonymous();
  const now = () => operation.clock.now().toISOString();
  const [answer] = await em.execute<{ until: Date | string | null }[]>(
    'select identity.admit_attempt(?, ?, ?, ?) as until',
    [key, now(), free, parallel],
  );
  const blockedUntil = answer?.until ? new Date(answer.until) : undefined;
  return {
    blockedUntil,
    settle: async (outcome) => {
      // Of a refused attempt there is nothing to settle. The query is made all the same: its time must not tell.
      const settled = blockedUntil ? null : key;
      await em.execute('select identity.settle_attempt(?::text, ?, ?, ?)', [settled, now(), free, outcome]);
    },
  };
}

/** Forgets the failures of someone who proved who they are in another way; ends a pause. */
export async function forgive(operation: Operation, kind: ThrottleKind, subject: string): Promise<void> {
  const values = [
    keyOf(kind, subject),
    operation.clock.now().toISOString(),
    allowances[kind].free,
    'FORGIVEN',
  ];
  await operation.database.anonymous().execute('select identity.settle_attempt(?, ?, ?, ?)', values);
}

function keyOf(kind: ThrottleKind, subject: string): string {
  return sha256(`${kind}:${subject}`);
}

/** For those who may know that they are throttled: throws RATE_LIMITED while they are. */
export async function admitOrRefuse(
  operation: Operation,
  kind: ThrottleKind,
  subject: string,
): Promise<Attempt> {
  const attempt = await admit(operation, kind, subject);
  if (!attempt.blockedUntil) return attempt;
  const waitMs = attempt.blockedUntil.getTime() - operation.clock.now().getTime();
  throw new ApiError('RATE_LIMITED', 'Too many attempts; try again later', {
    reason: 'TOO_MANY_ATTEMPTS',
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
