import { expect } from 'vitest';

import { canaryMoves, CanaryStatus } from '#subgraphs/governance/canary/canary.status.js';

import type { TestPanel } from '../../support/panel.js';
import type { Node, Tenant } from '../../support/world.js';
import { signedIn } from './tenant.js';

export interface Canary {
  id: string;
  status: string;
  reason: string | null;
  message: string | null;
  current_step: number;
  instances: { target: number; updated: number; failed: number };
  analysis: { verdict: string; checks: { name: string; verdict: string }[] } | null;
}

interface Handed {
  id: string;
  command: string;
  params: { version?: string };
  lease: string;
}

/** A node that does as it is told, or not: by the version that it is told to run. */
/** How long a node waits for the panel's answers in one turn. */
const patienceMs = 20_000;

export class Worker {
  version = '0.2.9';
  /** What it tells of itself beside that. */
  beat: Record<string, unknown> = {};
  readonly done: string[] = [];
  /** Of commands that it has done: one that is handed out again, as its result was lost, is not done again. */
  private readonly ended = new Map<string, 'failed' | 'success'>();

  constructor(
    readonly node: Node,
    /** How an update to a version ends, and how the node is afterwards. */
    private readonly behaviour: (version: string) => {
      fails?: boolean;
      beat?: Record<string, unknown>;
    } = () => ({}),
    public isAway = false,
  ) {}

  async turn(): Promise<void> {
    if (this.isAway) return;
    const { beat = {} } = this.behaviour(this.version);
    // As an agent has its patience: a panel that is frozen answers when it is woken, and beats go elsewhere meanwhile.
    const signal = AbortSignal.timeout(patienceMs);
    const answer = await this.node.beat({ version: this.version, ...beat, ...this.beat }, signal);
    const commands = (answer.body['commands'] ?? []) as Handed[];
    for (const { id, lease, params } of commands) {
      const status = this.ended.get(id) ?? this.does(params.version ?? '');
      this.ended.set(id, status);
      await this.reports(id, { lease, status }, signal);
    }
  }

  /** Whether there is a command, which it begins and does not end. */
  async begins(): Promise<boolean> {
    const { body } = await this.node.beat({ version: this.version });
    const commands = (body['commands'] ?? []) as Handed[];
    for (const { id, lease } of commands) await this.reports(id, { lease, status: 'in_progress' });
    return commands.length > 0;
  }

  private async reports(
    id: string,
    body: { lease: string; status: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const { credential: token, world } = this.node;
    await world.rest(`/api/agent/commands/${id}/result`, { token, body, ...(signal ? { signal } : {}) });
  }

  private does(version: string): 'failed' | 'success' {
    this.done.push(version);
    if (this.behaviour(version).fails === true) return 'failed';
    this.version = version;
    return 'success';
  }
}

export async function workers(
  tenant: Tenant,
  count: number,
  behaviour?: ConstructorParameters<typeof Worker>[1],
): Promise<Worker[]> {
  const made: Worker[] = [];
  for (let at = 0; at < count; at += 1) made.push(new Worker(await tenant.node(), behaviour));
  for (const worker of made) await worker.turn();
  return made;
}

/** Until governance knows the nodes and the plan. */
export async function isKnown(panel: TestPanel, tenant: Tenant, count: number): Promise<boolean> {
  const [row] = await panel.sql<{ nodes: number; plan: number }>(
    `select (select count(*)::integer from governance.node where tenant_id = $1) as nodes,
       (select count(*)::integer from governance.entitlement where tenant_id = $1 and plan = 'PRO') as plan`,
    [tenant.id],
  );
  return row?.nodes === count && row.plan === 1;
}

export async function shown(tenant: Tenant, id: string): Promise<Canary> {
  const { body } = await tenant.rest<Canary[]>('/api/governance/canary');
  const found = body.find((each) => each.id === id);
  if (!found) throw new Error(`there is no canary ${id}`);
  return found;
}

/** Until all that is due has been done: time must not run away from the work, nor stand still where a sweep died. */
async function settled(panel: TestPanel, id: string): Promise<void> {
  const end = Date.now() + 30_000;
  for (let look = 1; ; look += 1) {
    const rows = await panel.sql(
      `select 1 from governance.canary where id = $1 and due_at <= $2
       union all select 1 from jobs.job where name = 'governance.canary.advance' and data->>'canaryId' = $1
         and state in ('created', 'retry', 'active')`,
      [id, panel.clock.now()],
    );
    if (rows.length === 0) return;
    if (Date.now() > end) throw new Error('the canary did not do what was due');
    if (look % 20 === 0) await panel.clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Some seconds in which nodes beat and work; more until something is due, where nothing in between is waited for. */
export async function turn(
  panel: TestPanel,
  id: string,
  all: readonly Worker[],
  atMostMs = 5_000,
): Promise<void> {
  const [row] = await panel.sql<{ due_at: Date | null }>(
    'select due_at from governance.canary where id = $1',
    [id],
  );
  const dueIn = (row?.due_at ?? panel.clock.now()).getTime() - panel.clock.now().getTime();
  await panel.clock.leap(Math.min(Math.max(5_000, dueIn), atMostMs));
  await Promise.all(all.map((worker) => worker.turn()));
  await settled(panel, id);
}

const isEnd = (status: string) => ['succeeded', 'rolled_back', 'failed'].includes(status);

/** Lets time go by, nodes beat and work, until the canary is in one of these statuses. */
export async function drive(
  panel: TestPanel,
  tenant: Tenant,
  id: string,
  all: readonly Worker[],
  wanted: readonly string[],
): Promise<Canary> {
  let status: string | undefined;
  for (let count = 0; count < 120; count += 1) {
    const [row] = await panel.sql<{ status: string }>(
      'select lower(status) as status from governance.canary where id = $1',
      [id],
    );
    status = row!.status;
    // Tokens end after a quarter of an hour.
    if (wanted.includes(status)) return shown(await signedIn(tenant), id);
    if (isEnd(status)) break;
    await turn(panel, id, all, wanted.includes('baking') ? 5_000 : 20_000);
  }
  throw new Error(
    `it never was ${wanted.join(' or ')}: ${JSON.stringify(await shown(await signedIn(tenant), id))}`,
  );
}

/** That a canary has gone by its table of moves, as it told; its last status. */
export async function expectLegal(panel: Pick<TestPanel, 'sql'>, id: string): Promise<CanaryStatus> {
  const history = await panel.sql<{ from: CanaryStatus; to: CanaryStatus }>(
    `select payload->>'from' as from, payload->>'to' as to from governance.outbox
     where entity_id = $1 and topic = 'governance.canary.progressed' order by xid, id`,
    [id],
  );
  let at: CanaryStatus = CanaryStatus.PENDING;
  for (const { from, to } of history) {
    expect(from).toBe(at);
    at = to;
    if (from === to) continue;
    const legal = Object.values(canaryMoves[from]).flatMap((each) =>
      each === 'where it was' ? [CanaryStatus.RUNNING, CanaryStatus.BAKING, CanaryStatus.PROMOTING] : [each],
    );
    expect(legal).toContain(to);
  }
  return at;
}

/** That each command which a canary of the tenant has sent is known to it, and that it has sent no other. */
export async function expectKnown(panel: Pick<TestPanel, 'sql'>, tenantId: string): Promise<void> {
  const sent = await panel.sql<{ id: string }>(
    `select id from fleet.command where tenant_id = $1 and created_by = 'svc:governance' order by id`,
    [tenantId],
  );
  const known = await panel.sql<{ id: string }>(
    `select command_id as id from governance.canary_dispatch
     where tenant_id = $1 and command_id is not null order by command_id`,
    [tenantId],
  );
  expect(sent).toEqual(known);
}
