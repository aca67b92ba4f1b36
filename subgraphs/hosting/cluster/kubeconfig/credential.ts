import { X509Certificate } from 'node:crypto';

/** How a cluster is reached: all that is kept of a kubeconfig, sealed. PEM texts as they came. */
export interface Credential {
  server: string;
  authority?: string;
  certificate?: string;
  key?: string;
  token?: string;
}

/** When a credential ends: the earlier of what its certificate and its token say; undefined where neither says. */
export function expiryOf({ certificate, token }: Credential): Date | undefined {
  const ends = [
    ...(certificate === undefined ? [] : [Date.parse(new X509Certificate(certificate).validTo)]),
    ...(token === undefined ? [] : [expiryOfToken(token)]),
  ].filter((end) => Number.isFinite(end));
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

/** Tokens of service accounts are JWTs; others say nothing. */
function expiryOfToken(token: string): number {
  const [, claims, signature] = token.split('.');
  if (claims === undefined || signature === undefined) return NaN;
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : NaN;
  } catch {
    return NaN;
  }
}
