/**
 * How many requests who may make. All windows are one minute long. `perMinute` is the tenant's allowance; the others
 * are derived from it, so that one setting scales them all.
 */
export interface RateLimitPolicy {
  /** A tenant's users and API keys together; also one address's anonymous requests, and its webhooks that are refused. */
  perMinute: number;
  /** One address's attempts at what guesses could break. */
  sensitivePerMinute: number;
  /** One address's renewals of sessions by their cookie: nobody guesses 256 bits, and a page can't do without. */
  sessionsPerMinute: number;
  /** One node, which does not draw on its tenant's allowance. */
  nodePerMinute: number;
}

/** The policy for a tenant's allowance per minute (RATE_LIMIT_PER_MINUTE). */
export function policyFor(perMinute: number): RateLimitPolicy {
  return {
    perMinute,
    sensitivePerMinute: Math.max(1, Math.floor(perMinute / 10)),
    sessionsPerMinute: perMinute,
    nodePerMinute: perMinute,
  };
}

/** Mutations that take a secret from someone who is not signed in: a guess each. */
export const sensitiveFields: ReadonlySet<string> = new Set([
  'register',
  'login',
  'refreshSession',
  'completeSetup',
  'verifyTotp',
  'requestPasswordReset',
  'resetPassword',
  'verifyEmail',
  'confirmEmailChange',
  'acceptInvitation',
  'exchangeAuthorizationCode',
]);

/** How many points root fields draw that cost more than one. */
export const pointsOfField: ReadonlyMap<string, number> = new Map([
  // A look at up to 10000 instances.
  ['previewCommand', 3],
  // Up to 100000 instances are judged by a rule of the caller's.
  ['previewPolicy', 10],
  // All entries of a year are read and hashed.
  ['verifyAudit', 20],
]);

/**
 * For how many entries of lists an operation pays a point, if all its pages are full. A page of 500 whose entries have four
 * lists of their own is one still; pages in pages are more.
 */
export const nodesPerPoint = 2_500;
