import { randomUUID } from 'node:crypto';

export interface CrowdNode {
  id: string;
  credential: string;
}

interface Account {
  email: string;
  password: string;
}

export interface CrowdTenant {
  /** Those who look at it come from here, so that each has an allowance of its own. */
  from: string;
  token: string;
  nodes: CrowdNode[];
}

type Json = Record<string, unknown>;

/** A policy that some nodes violate and some do not, as beats tell. */
const policy = {
  name: 'Backups are encrypted',
  type: 'backup',
  rule: { condition: 'backup.encryption', operator: 'equals', value: true },
  applies_to: 'all_instances',
};

/** Tenants with their nodes and a policy, made as their people make them: over the API. */
export async function makeTenants(url: string, tenants: number, nodesOfEach: number): Promise<CrowdTenant[]> {
  const administrator = await signIn(
    url,
    { email: 'admin@bench.test', password: 'administrator-password' },
    '10.0.0.1',
  );
  const made: CrowdTenant[] = [];
  for (let at = 0; at < tenants; at += 1) made.push(await makeTenant(url, at, nodesOfEach, administrator));
  return made;
}

async function makeTenant(
  url: string,
  at: number,
  nodesOfEach: number,
  administrator: string,
): Promise<CrowdTenant> {
  const from = `10.1.${at}.1`;
  const account = { email: `${randomUUID()}@bench.test`, password: 'correct horse battery' };
  const name = `Tenant ${at}`;
  const told = await ask(url, '/api/auth/register', { from, body: { ...account, name, company: name } });
  const { user, access_token: token } = told as { user: { tenant: { id: string } }; access_token: string };
  const { id } = user.tenant;
  const query = 'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }';
  const variables = { input: { tenantId: id, plan: 'PRO' } };
  await ask(url, '/graphql', { from, token: administrator, body: { query, variables } });
  await untilPlan(url, from, token, nodesOfEach);
  await ask(url, '/api/governance/policies', { from, token, body: policy });
  const { token: enrollment } = (await ask(url, '/api/fleet/tokens', {
    from,
    token,
    body: { name: 'bench' },
  })) as {
    token: string;
  };
  const nodes: CrowdNode[] = [];
  for (let node = 0; node < nodesOfEach; node += 1) {
    const hostname = `node-${node}.tenant-${at}.example.com`;
    const answer = await ask(url, '/api/agent/enroll', {
      from: `10.2.${at}.${node + 1}`,
      body: { token: enrollment, name: `node-${node}`, hostname, version: '0.2.9' },
    });
    const { instance_id, credential } = answer as { instance_id: string; credential: string };
    nodes.push({ id: instance_id, credential });
  }
  return { from, token: await signIn(url, account, from), nodes };
}

/** The plan comes to fleet as an event. */
async function untilPlan(url: string, from: string, token: string, nodes: number): Promise<void> {
  const query = '{ tenant { instanceCounts { limit } } }';
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    const { data } = (await ask(url, '/graphql', { from, token, body: { query } })) as {
      data: { tenant: { instanceCounts: { limit: number | null } } };
    };
    if ((data.tenant.instanceCounts.limit ?? Infinity) >= nodes) return;
  }
  throw new Error('the plan did not come to fleet within 30 s');
}

async function signIn(url: string, account: Account, from: string): Promise<string> {
  const answer = await ask(url, '/api/auth/login', { from, body: { ...account } });
  return (answer as { access_token: string }).access_token;
}

async function ask(
  url: string,
  path: string,
  { from, token, body }: { from: string; token?: string; body: Json },
): Promise<Json> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': from,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Json;
  if (!response.ok || 'errors' in answer)
    throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
