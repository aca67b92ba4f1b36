import { setTimeout as sleep } from 'node:timers/promises';

import { demoFleet } from '#agent/fleet.js';

/** The demo's accounts. The panel listens on loopback only, so they may be printed. */
export const demoAccounts = {
  owner: {
    email: 'demo@quazzar.test',
    password: 'demo-password-1234',
    name: 'Dana Demo',
    company: 'Demo Cloud',
  },
  administrator: { email: 'admin@quazzar.test', password: 'admin-password-1234' },
};

interface SignedIn {
  access_token: string;
  user: { tenant: { id: string; plan: string } };
}

/**
 * Makes the demo's tenant on Pro through the public API, or finds it there, and answers a token for its nodes. With the
 * stand-in for Stripe it buys the plan, by a card that always pays; otherwise an operator grants it.
 */
export async function seedDemo(
  url: string,
  { hasStandIn }: { hasStandIn: boolean },
): Promise<{ enrollmentToken: string; tenantId: string }> {
  const owner = await signIn(url);
  const { tenant } = owner.user;
  if (tenant.plan !== 'pro') await (hasStandIn ? buyPro(url, owner.access_token) : grantPro(url, tenant.id));
  await awaitPlan(url, owner.access_token);
  const { token } = await post<{ token: string }>(
    `${url}/api/fleet/tokens`,
    { name: 'demo fleet', expires_in_hours: 1, tags: ['demo'] },
    owner.access_token,
  );
  return { enrollmentToken: token, tenantId: tenant.id };
}

/** Gives the demo's tenant an account with a provider's stand-in. */
export async function connectProvider(url: string, provider: string, token: string): Promise<void> {
  const { access_token: bearer } = await signIn(url);
  const answer = await post<{ errors?: unknown[] }>(
    `${url}/graphql`,
    {
      query: 'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { status } }',
      // Another stand-in than before is the only one that there is.
      variables: { input: { provider, token, leavesServers: true } },
    },
    bearer,
  );
  if (answer.errors) throw new Error(`${provider} could not be connected: ${JSON.stringify(answer.errors)}`);
}

/** Registers the demo's cluster, unless an earlier start has. */
export async function registerCluster(url: string, kubeconfig: string): Promise<void> {
  const { access_token: token } = await signIn(url);
  const name = 'demo-cluster';
  const known = await fetch(`${url}/api/k8s/clusters`, { headers: { authorization: `Bearer ${token}` } });
  const clusters = (await known.json()) as { name: string }[];
  if (clusters.some((cluster) => cluster.name === name)) return;
  await post(
    `${url}/api/k8s/clusters`,
    { name, provider: 'sandbox', region: 'eu-central', kubeconfig },
    token,
  );
}

async function signIn(url: string): Promise<SignedIn> {
  const { email, password } = demoAccounts.owner;
  try {
    return await post<SignedIn>(`${url}/api/auth/login`, { email, password });
  } catch {
    return post<SignedIn>(`${url}/api/auth/register`, demoAccounts.owner);
  }
}

/** As a person would, on the page that the checkout leads to. */
async function buyPro(url: string, token: string): Promise<void> {
  const answer = await post<{ data?: { createCheckoutSession: { url: string } }; errors?: unknown[] }>(
    `${url}/graphql`,
    {
      query: 'mutation($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url } }',
      variables: { input: { plan: 'PRO', billingCycle: 'MONTHLY' } },
    },
    token,
  );
  if (!answer.data) throw new Error(`the demo's plan could not be bought: ${JSON.stringify(answer.errors)}`);
  const paid = await fetch(answer.data.createCheckoutSession.url, {
    method: 'POST',
    body: new URLSearchParams({ do: 'pay', card: 'pm_card_visa' }),
    redirect: 'manual',
  });
  if (paid.status >= 400) throw new Error(`the demo's card was refused: ${await paid.text()}`);
}

async function grantPro(url: string, tenantId: string): Promise<void> {
  const administrator = await post<SignedIn>(`${url}/api/auth/login`, demoAccounts.administrator);
  const answer = await post<{ errors?: unknown[] }>(
    `${url}/graphql`,
    {
      query: 'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }',
      variables: { input: { tenantId, plan: 'PRO' } },
    },
    administrator.access_token,
  );
  if (answer.errors)
    throw new Error(`the demo's plan could not be granted: ${JSON.stringify(answer.errors)}`);
}

/** The plan reaches fleet as an event; more nodes than the Free plan has would be refused before that. */
async function awaitPlan(url: string, token: string): Promise<void> {
  const query = '{ tenant { instanceCounts { limit } } }';
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await post<{ data?: { tenant: { instanceCounts: { limit: number | null } } } }>(
      `${url}/graphql`,
      { query },
      token,
    );
    if ((answer.data?.tenant.instanceCounts.limit ?? 0) >= demoFleet.length) return;
    await sleep(100);
  }
  throw new Error("the demo's plan did not reach fleet");
}

async function post<Answer>(url: string, body: unknown, token?: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
