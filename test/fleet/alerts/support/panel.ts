import { dataOf } from '../../../support/answers.js';
import type { TestPanel } from '../../../support/panel.js';
import type { Node, Tenant } from '../../../support/world.js';

export interface RestAlert {
  id: string;
  instance_id: string;
  instance_name: string;
  rule: string;
  severity: string;
  status: string;
  message: string;
  value: number | null;
  threshold: number | null;
  count: number;
  started_at: string;
  updated_at: string;
  acknowledged_by: string | null;
}

// What the panel's own steps get in any case, by the machine's time: a stride of the clock may be gone in 40 ms.
const leastMs = 20_000;
// What is far off is come to in strides as long as the pause between two looks at the alerts, which get as much real time.
const strideSeconds = 5;
const secondBySecond = 15;

/** Moves time on until it is so, at first second by second; the panel's own steps do the work meanwhile. */
export async function soon(
  panel: TestPanel,
  isSo: () => Promise<boolean>,
  what: string,
  withinSeconds = 60,
): Promise<void> {
  const startedAt = performance.now();
  let stride = 1;
  for (let second = 0; !(await isSo()); second += stride) {
    if (second >= withinSeconds && performance.now() - startedAt > leastMs)
      throw new Error(`moved time on by ${withinSeconds} s in vain for ${what}`);
    stride = second < secondBySecond ? 1 : strideSeconds;
    await panel.clock.leap(stride * 1_000);
    await new Promise((resolve) => setTimeout(resolve, stride * (second < withinSeconds ? 40 : 400)));
  }
}

/** Has rules fire at the first beat that finds their condition. */
export async function impatient(tenant: Tenant, ...kinds: readonly string[]): Promise<void> {
  for (const kind of kinds) await updateRule(tenant, { kind, forSeconds: 0 });
}

export async function updateRule(tenant: Tenant, input: Record<string, unknown>): Promise<void> {
  dataOf(
    await tenant.graphql(
      'mutation($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { kind } }',
      {
        input,
      },
    ),
  );
}

export async function alertsOf(tenant: Tenant, query = ''): Promise<RestAlert[]> {
  const answer = await tenant.rest<RestAlert[]>(`/api/fleet/alerts${query}`);
  if (answer.status !== 200) throw new Error(`alerts: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** A node whose CPU is busy, and the alert about it once it fires. */
export async function firing(
  panel: TestPanel,
  tenant: Tenant,
  name?: string,
): Promise<{ node: Node; alert: RestAlert }> {
  await impatient(tenant, 'CPU');
  const node = await tenant.node(name);
  await node.beat({ cpu_percent: 97.26 });
  const find = async () => (await alertsOf(tenant)).find(({ instance_id }) => instance_id === node.id);
  await soon(panel, async () => (await find()) !== undefined, 'an alert');
  return { node, alert: (await find())! };
}
