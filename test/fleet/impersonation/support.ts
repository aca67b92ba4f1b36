import type { Node, Tenant } from '../../support/world.js';

/** The address that opens a node for one of the tenant, and the token in it. */
export async function mint(tenant: Tenant, node: Node, body: Record<string, unknown> = {}) {
  const answer = await tenant.rest<{ session_url: string }>(`/api/fleet/instances/${node.id}/impersonate`, {
    method: 'POST',
    body,
  });
  if (answer.status !== 200) throw new Error(`impersonate: ${answer.status} ${answer.text}`);
  return { url: new URL(answer.body.session_url), token: tokenOf(answer), body: answer.body };
}

export function tokenOf({ body }: { body: { session_url: string } }): string {
  return new URL(body.session_url).searchParams.get('token') ?? '';
}

/** What a node is told of a token that it was shown. */
export async function redeem(node: Node, token: string) {
  const { status, body } = await node.world.rest('/api/agent/impersonation/redeem', {
    token: node.credential,
    body: { token },
  });
  return { status, body };
}
