import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a webhook is from whoever knows the secret. GitHub (docs.github.com, "Validating webhook deliveries") and Gitea
 * sign the body: `X-Hub-Signature-256: sha256=<hex>`, older Giteas `X-Gitea-Signature: <hex>`. GitLab (docs.gitlab.com,
 * "Webhooks") sends the secret itself as `X-Gitlab-Token`. One of them has to be there, and right.
 */
export function isSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const hmac = () => createHmac('sha256', secret).update(body).digest('hex');
  const gitHub = headers['x-hub-signature-256'];
  if (typeof gitHub === 'string') return isSame(gitHub, `sha256=${hmac()}`);
  const gitea = headers['x-gitea-signature'];
  if (typeof gitea === 'string') return isSame(gitea, hmac());
  const gitLab = headers['x-gitlab-token'];
  return typeof gitLab === 'string' && isSame(gitLab, secret);
}

/** Whether there is one at all, right or wrong. */
export function hasSignature(headers: IncomingHttpHeaders): boolean {
  return ['x-hub-signature-256', 'x-gitea-signature', 'x-gitlab-token'].some((name) => name in headers);
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
