import { randomUUID } from 'node:crypto';

import type { Answer } from '../../../support/http.js';
import { until, type Node, type Tenant } from '../../../support/world.js';

/** A command as REST shows it. */
export interface RestCommand {
  id: string;
  command: string;
  params: Record<string, unknown>;
  status: string;
  created_at: string;
  expires_at: string;
  results: {
    instance_id: string;
    status: string;
    output: string | null;
    exit_code: number | null;
    updated_at: string;
  }[];
}

/** A command as a node is handed it. */
export interface Handed {
  id: string;
  command: string;
  params: Record<string, unknown>;
  lease: string;
}

export async function send(
  tenant: Tenant,
  nodes: readonly Node[],
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer<RestCommand>> {
  return tenant.rest<RestCommand>('/api/fleet/commands', {
    body: { instance_ids: nodes.map(({ id }) => id), command: 'restart', ...more },
    headers,
  });
}

/** Sends a command that must be taken, and answers its id. */
export async function sent(
  tenant: Tenant,
  nodes: readonly Node[],
  more: Record<string, unknown> = {},
): Promise<string> {
  const answer = await send(tenant, nodes, more);
  if (answer.status !== 201) throw new Error(`commands: ${answer.status} ${answer.text}`);
  return answer.body.id;
}

/** What a node's next beat brings. */
export async function take(node: Node): Promise<Handed[]> {
  await node.world.clock.advance(1);
  const answer = await node.beat();
  if (answer.status !== 200) throw new Error(`beat: ${answer.status} ${answer.text}`);
  return answer.body['commands'] as Handed[];
}

/** The same where one command is expected. */
export async function takeOne(node: Node): Promise<Handed> {
  const commands = await take(node);
  if (commands.length !== 1) throw new Error(`expected one command, got ${JSON.stringify(commands)}`);
  return commands[0]!;
}

export async function report(
  node: Node,
  { id, lease }: { id: string; lease: string },
  status: string,
  more: Record<string, unknown> = {},
): Promise<number> {
  const answer = await node.world.rest(`/api/agent/commands/${id}/result`, {
    token: node.credential,
    body: { lease, status, ...more },
  });
  return answer.status;
}

/** The command's status, and by node the status there. */
export async function statuses(
  tenant: Tenant,
  id: string,
  nodes: readonly Node[],
): Promise<{ command: string; nodes: (string | undefined)[] }> {
  const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
  return {
    command: body.status,
    nodes: nodes.map((node) => body.results.find(({ instance_id }) => instance_id === node.id)?.status),
  };
}

/** Moves time on, second by second, until background steps have brought it there. */
export async function becomes(
  tenant: Tenant,
  id: string,
  nodes: readonly Node[],
  expected: readonly string[],
): Promise<void> {
  await until(
    async () => {
      await tenant.world.clock.advance(1_000);
      return (await statuses(tenant, id, nodes)).nodes.join() === expected.join();
    },
    `${id} to be ${expected.join(', ')}`,
  );
}

export async function nodesOf(tenant: Tenant, count: number): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let at = 0; at < count; at += 1) nodes.push(await tenant.node(`n${at}-${randomUUID().slice(0, 4)}`));
  return nodes;
}
