import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';

import { z } from 'zod';

/** What a node may do, by a licence that verified. */
export interface LicenceTerms {
  readonly licenceId: string;
  readonly plan: string;
  readonly features: readonly string[];
  readonly expiresAt: Date;
}

/** Why a licence does not count. */
export type LicenceProblem = 'MALFORMED' | 'UNKNOWN_KEY' | 'SIGNATURE_INVALID' | 'WRONG_INSTANCE' | 'EXPIRED';

export type LicenceVerdict =
  | { readonly isGood: true; readonly terms: LicenceTerms }
  | { readonly isGood: false; readonly problem: LicenceProblem };

const headerShape = z.object({ alg: z.literal('EdDSA'), kid: z.string(), typ: z.literal('qzr-licence+jwt') });
const claimsShape = z.object({
  jti: z.string(),
  sub: z.string(),
  plan: z.string(),
  features: z.array(z.string()),
  exp: z.number(),
});

/** Judges a licence by the panel's published keys alone: nothing is asked of anybody. */
export function verifyLicence(
  licence: string,
  { keys, instanceId, now }: { keys: readonly JsonWebKey[]; instanceId: string; now: Date },
): LicenceVerdict {
  const [head = '', body = '', signature = '', ...more] = licence.split('.');
  const header = headerShape.safeParse(parse(head));
  if (!header.success || more.length > 0) return bad('MALFORMED');
  const jwk = keys.find((key) => key['kid'] === header.data.kid);
  if (!jwk) return bad('UNKNOWN_KEY');
  const signed = Buffer.from(`${head}.${body}`);
  if (!isSignedBy(jwk, signed, Buffer.from(signature, 'base64url'))) return bad('SIGNATURE_INVALID');
  const claims = claimsShape.safeParse(parse(body));
  if (!claims.success) return bad('MALFORMED');
  const { jti: licenceId, sub, plan, features, exp } = claims.data;
  if (sub !== instanceId) return bad('WRONG_INSTANCE');
  const expiresAt = new Date(exp * 1000);
  if (expiresAt <= now) return bad('EXPIRED');
  return { isGood: true, terms: { licenceId, plan, features, expiresAt } };
}

/** By a key that is none of ours, or none at all, nothing is. */
function isSignedBy(jwk: JsonWebKey, signed: Buffer, signature: Buffer): boolean {
  try {
    return verify(null, signed, createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    return false;
  }
}

function bad(problem: LicenceProblem): LicenceVerdict {
  return { isGood: false, problem };
}

function parse(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
