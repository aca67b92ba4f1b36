import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';

import { vi } from 'vitest';

import type { Answer } from '../../support/http.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';

/** For steps on the way to what a test is about. */
export function mustBe(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** A panel whose public address is where it listens, as strict clients demand of an issuer. */
export async function startReachablePanel(settings: Record<string, string> = {}): Promise<TestPanel> {
  const port = await freePort();
  return startTestPanel({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, ...settings });
}

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export interface Client {
  id: string;
  redirectUri: string;
}

/** Where a node sends a browser to sign in; `change` puts other parameters in the place of good ones. */
export function authorizePage(
  { panel }: TestPanel,
  { id, redirectUri }: Client,
  change: Record<string, string> = {},
): string {
  const parameters = {
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    state: 's',
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
    ...change,
  };
  return `${panel.url}/oauth/authorize?${new URLSearchParams(parameters).toString()}`;
}

/** A node that enrolled with a redirect URI, once identity knows it as a client. */
export async function enrollClient(panel: TestPanel, tenant: Tenant, baseUrl = nodeUrl()): Promise<Client> {
  const redirectUri = `${baseUrl}/callback`;
  const name = `node-${randomUUID().slice(0, 8)}`;
  const answer = await panel.world.rest<{ instance_id: string }>('/api/agent/enroll', {
    body: {
      token: await tenant.enrollmentToken(),
      name,
      hostname: `${name}.example.com`,
      version: '0.2.9',
      base_url: baseUrl,
      redirect_uris: [redirectUri],
    },
  });
  mustBe(answer, 201);
  await clientKnown(panel, answer.body.instance_id);
  return { id: answer.body.instance_id, redirectUri };
}

const nodeUrl = () => `https://${randomUUID()}.example.com`;

/** The event of an enrollment has reached identity. */
export async function clientKnown(panel: TestPanel, id: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const known = await panel.sql('select 1 from identity.oauth_client where instance_id = $1', [id]);
      if (known.length === 0) throw new Error(`identity does not know ${id} yet`);
    },
    { timeout: 30_000 },
  );
}

export interface Preflight {
  client: { id: string; name: string; hostname: string };
  redirect_uri: string;
  scopes: string[];
  state: string | null;
  user: { id: string; email: string; name: string };
  consent_id: string;
}

export async function preflight(
  tenant: Tenant,
  parameters: Record<string, string>,
): Promise<Answer<Preflight>> {
  return tenant.rest<Preflight>(
    `/api/oauth/authorize/preflight?${new URLSearchParams(parameters).toString()}`,
  );
}

export async function consent(tenant: Tenant, consentId: string, approve = true) {
  return tenant.rest<{ redirect_to: string }>('/api/oauth/authorize/consent', {
    body: { consent_id: consentId, approve },
  });
}

/** The user agrees; answers where the browser would go. */
export async function authorize(tenant: Tenant, client: Client, challenge: string, more = {}): Promise<URL> {
  const checked = await preflight(tenant, {
    client_id: client.id,
    redirect_uri: client.redirectUri,
    code_challenge: challenge,
    ...more,
  });
  mustBe(checked, 200);
  const answer = await consent(tenant, checked.body.consent_id);
  mustBe(answer, 200);
  return new URL(answer.body.redirect_to);
}

export interface OAuthTokens {
  access_token: string;
  id_token: string;
  token_type: string;
  expires_in: number;
}

export async function exchange(panel: TestPanel, parameters: Record<string, string>) {
  return panel.world.rest<OAuthTokens & { error?: string; error_description?: string }>('/api/oauth/token', {
    rawBody: new URLSearchParams(parameters).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

/** A code with everything that it takes to exchange it. */
export async function codeFor(tenant: Tenant, client: Client, more = {}): Promise<Record<string, string>> {
  const { verifier, challenge } = pkce();
  const target = await authorize(tenant, client, challenge, more);
  return {
    grant_type: 'authorization_code',
    code: target.searchParams.get('code') ?? '',
    redirect_uri: client.redirectUri,
    client_id: client.id,
    code_verifier: verifier,
  };
}
