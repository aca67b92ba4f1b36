import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

/**
 * How many attempts fail freely per kind of secret, and how many may be under way at once. After the free ones each
 * attempt is followed by a pause of 1 s, 2 s, 4 s ... 15 min (OWASP Authentication Cheat Sheet: exponential, never for
 * good). One failure is forgotten for every 15 minutes without another, and all of them after 12 hours.
 */
const allowances = {
  /** Of one sign-in name, whether or not it has an account, from all networks that are not familiar to it. */
  account: { free: 5, parallel: 20 },
  /** Of one sign-in name from one network that it has signed in from: what strangers do elsewhere is no matter to it. */
  familiar: { free: 5, parallel: 20 },
  /** Of one client address, over all sign-in names; many people may share one. */
  address: { free: 50, parallel: 100 },
  /** Of the current password, asked of someone who is signed in. */
  password: { free: 5, parallel: 5 },
  /** Of one-time and recovery codes: a million codes, three of them right at a time. */
  code: { free: 5, parallel: 5 },
  /** Of mail to one address, and of mail that one user causes. */
  mail: { free: 3, parallel: 3 },
  /** Of invitations that one tenant sends, to whomever: whoever registers may write to strangers in the panel's name. */
  invitation: { free: 200, parallel: 10 },
} as const;

export type ThrottleKind = keyof typeof allowances;

/** How an attempt ended: FORGIVEN also forgets the failures before it, ABANDONED is neither a success nor a failure. */
export type Outcome = 'FAILED' | 'PASSED' | 'FORGIVEN' | 'ABANDONED';

export interface Attempt {
  /** Set when the attempt may not be made; it is the moment from which the next one may. */
  blockedUntil: Date | undefined;
  /** Says how an admitted attempt ended. */
  settle(outcome: Outcome): Promise<void>;
}

/** Asks for one attempt. The count is in PostgreSQL, so all replicas share it, and outlives a refused mutation. */
export async function admit(operation: Operation, kind: ThrottleKind, subject: string): Promise<Attempt> {
  const { free, parallel } = allowances[kind];
  const em = operation.database.anonymous();
  const now = () => operation.clock.now().toISOString();
  const [answer] = await em.execute<{ key: string; until: Date | string | null }[]>(
    `select k.key, identity.admit_attempt(k.key, ?, ?, ?) as until
     from (select identity.attempt_key(?, ?) as key) k`,
    [now(), free, parallel, kind, subject],
  );
  const blockedUntil = answer?.until ? new Date(answer.until) : undefined;
  return {
    blockedUntil,
    settle: async (outcome) => {
      // Of a refused attempt there is nothing to settle. The query is made all the same: its time must not tell.
      const settled = blockedUntil ? null : (answer?.key ?? null);
      await em.execute('select identity.settle_attempt(?::text, ?, ?, ?)', [settled, now(), free, outcome]);
    },
  };
}

/** Forgets the failures of someone who proved who they are in another way; ends a pause. */
export async function forgive(operation: Operation, kind: ThrottleKind, subject: string): Promise<void> {
  const { free } = allowances[kind];
  const statement = 'select identity.settle_attempt(identity.attempt_key(?, ?), ?, ?, ?)';
  const values = [kind, subject, operation.clock.now().toISOString(), free, 'FORGIVEN'];
  await operation.database.anonymous().execute(statement, values);
}

/** Makes an admitted attempt and settles it however it ends: one that throws must not stay under way. */
export async function making(
  attempt: Attempt,
  onSuccess: 'PASSED' | 'FORGIVEN',
  work: () => Promise<boolean>,
): Promise<boolean> {
  let outcome: Outcome = 'ABANDONED';
  try {
    const isGood = await work();
    outcome = isGood ? onSuccess : 'FAILED';
    return isGood;
  } finally {
    await attempt.settle(outcome);
  }
}

/** Counts one mail for each of these: who causes it, and where it goes. Throws RATE_LIMITED when there were too many. */
export async function countMail(operation: Operation, subjects: readonly string[]): Promise<void> {
  for (const subject of subjects) await count(operation, 'mail', subject);
}

/**
 * Counts an invitation for its address, whoever invites it, and for the viewer's tenant, unless what is done by it is
 * refused. Throws RATE_LIMITED when there were too many.
 */
export async function countingInvitation<T>(
  operation: Operation,
  email: string,
  work: () => Promise<T>,
): Promise<T> {
  return counting(operation, `invitation of ${email}`, work);
}

/** The same for a request for access, which is mailed to the owners of a client. */
export async function countingRequest<T>(
  operation: Operation,
  clientId: string,
  work: () => Promise<T>,
): Promise<T> {
  return counting(operation, `request to ${clientId}`, work);
}

async function counting<T>(operation: Operation, subject: string, work: () => Promise<T>): Promise<T> {
  const attempts: Attempt[] = [];
  let outcome: Outcome = 'ABANDONED';
  try {
    // What is refused by the second must not stay under way with the first, which is others' as well.
    attempts.push(await admitOrRefuse(operation, 'mail', subject));
    attempts.push(await admitOrRefuse(operation, 'invitation', operation.tenantId));
    const answer = await work();
    outcome = 'FAILED';
    return answer;
  } finally {
    for (const attempt of attempts) await attempt.settle(outcome);
  }
}

async function count(operation: Operation, kind: ThrottleKind, subject: string): Promise<void> {
  const attempt = await admitOrRefuse(operation, kind, subject);
  await attempt.settle('FAILED');
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
