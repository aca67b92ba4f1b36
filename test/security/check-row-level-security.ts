import { silentLogger } from '#platform/logger.js';
import { decodePosition, encodePosition, outboxColumns, start, toEvent } from '#platform/outbox/event.js';
import type { DeliveredEvent, OutboxRow } from '#platform/outbox/event.js';
import { SubgraphRunner, type SubgraphEvent } from '#platform/subgraph/subgraph-runner.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { Viewer } from '#platform/viewer.js';

import { argumentFor, type Extent } from './arguments.js';
import { callFor, entityKeys, representationOf } from './check-entities.js';
import type { Parties } from './check-isolation.js';
import { declaredIn, isFinding, tryArguments, type Declared } from './check-roles.js';
import { inTurns, type Finding } from './findings.js';
import { leaksIn } from './markers.js';
import type { Matrix } from './matrix.js';
import { allOf, callOf, type Call } from './operations.js';
import type { RichScene } from './rich-scene.js';
import { changesOf, settledRowsOf } from './rows.js';
import { subgraphTarget } from './target.js';
import { unchecked } from './unchecked.js';

interface Attempt {
  where: string;
  subgraph: Subgraph;
  viewer: Viewer;
  call: Call | Finding;
}

const extents: readonly Extent[] = ['required', 'everything'];

/**
 * Calls every query, mutation and entity as the victim, with its ids and its secrets, while the database is in the
 * stranger's session: whatever shows or changes is not kept apart by row-level security.
 */
export async function rowLevelSecurityFindings(
  subgraphs: readonly Subgraph[],
  matrix: Matrix,
  { victim, stranger }: Parties,
): Promise<{ attempts: number; findings: Finding[] }> {
  const markers = victim.markers([stranger]);
  const before = await settledRowsOf(victim.panel, victim.tenant.id);
  const attempts = viewersOf(victim).flatMap((viewer) =>
    subgraphs.flatMap((subgraph) => [
      ...operationAttempts(subgraph, matrix, viewer, victim),
      ...entityKeys([subgraph]).map((key) => ({
        where: `${subgraph.name}: ${key.type.name} by ${key.fields.join(' ')}`,
        subgraph,
        viewer,
        call: callFor(key, representationOf(key, victim), victim),
      })),
    ]),
  );
  const found = await inTurns(attempts, async ({ where, subgraph, viewer, call }) => {
    if (isFinding(call as Call & Record<string, unknown>)) return [call as Finding];
    const belief = { viewer, tenantId: stranger.tenant.id, clock: victim.panel.clock };
    const answer = await subgraphTarget(unchecked(subgraph, belief)).ask(call as Call, victim.oauthToken);
    return leaksOf(answer.text, markers, [call, viewer]).map((marker) => ({
      where,
      caller: `believed ${viewer.kind}`,
      problem: `showed ${marker}`,
    }));
  });
  const changes = changesOf(before, await settledRowsOf(victim.panel, victim.tenant.id));
  return {
    attempts: attempts.length,
    findings: [...found, ...changes.map((problem) => ({ where: "the victim's rows", caller: 'believed', problem }))],
  };
}

/** What the victim's own people would be taken for. */
function viewersOf({ tenant, node }: RichScene): Viewer[] {
  const who = { tenantId: tenant.id, expiresAt: 4_102_444_800 };
  return [
    { ...who, kind: 'user', userId: tenant.user.id, sessionId: 'ses_none', role: 'owner', isAdministrator: true },
    { ...who, kind: 'node', instanceId: node.id, generation: 1, credentialExpiresAt: who.expiresAt },
  ];
}

function operationAttempts(subgraph: Subgraph, matrix: Matrix, viewer: Viewer, victim: RichScene): Attempt[] {
  const declared = declaredIn(subgraph, matrix).filter(({ root, access }) => root.kind !== 'subscription' && !access.asJobs);
  const sources = [victim, { id: victim.id.bind(victim), values: { ...victim.values, ...victim.secrets } }];
  return declared.flatMap((one) =>
    extents.flatMap((extent) =>
      sources.map((source) => ({ where: one.row, subgraph, viewer, call: callAs(one, subgraph, source, extent) })),
    ),
  );
}

function callAs(one: Declared, { schema }: Subgraph, source: Parameters<typeof tryArguments>[1], extent: Extent): Call | Finding {
  const args = tryArguments(one, source, extent);
  if (isFinding(args)) return args;
  const { type } = one.root.field;
  return callOf(one.root, args, allOf(type, schema, (owner, argument) => argumentFor(owner, argument, source)));
}

/** Markers in a text, but for what the call and its caller brought along. */
function leaksOf(text: string, markers: readonly string[], given: unknown): string[] {
  const known = JSON.stringify(given);
  return leaksIn(text, markers).filter((marker) => !known.includes(marker));
}

/**
 * Resumes every subscription from the beginning, likewise: nothing stored may be replayed, and of an event that is told
 * as it happens nothing but the fact may come through.
 */
export async function replayFindings(
  subgraphs: readonly Subgraph[],
  matrix: Matrix,
  { victim, stranger }: Parties,
): Promise<Finding[]> {
  const markers = victim.markers([stranger]);
  const [viewer] = viewersOf(victim);
  const subscriptions = subgraphs.flatMap((subgraph) =>
    declaredIn(subgraph, matrix)
      .filter(({ root }) => root.kind === 'subscription')
      .map((one) => ({ subgraph, one })),
  );
  return inTurns(subscriptions, async ({ subgraph, one }) => {
    const call = callAs(one, subgraph, victim, 'required');
    if (isFinding(call as Call & Record<string, unknown>)) return [call as Finding];
    const live = await storedEvents(victim, subgraph.name);
    const belief = { viewer: viewer!, tenantId: stranger.tenant.id, clock: victim.panel.clock, live };
    const runner = new SubgraphRunner(unchecked(subgraph, belief), silentLogger);
    const context = { requestId: 'test', clientAddress: '127.0.0.1' };
    const finding = (problem: string) => [{ where: one.row, caller: 'believed user', problem }];
    const stream = await runner.subscribe(call as Call, { ...context, after: encodePosition(start) });
    if (!(Symbol.asyncIterator in stream)) return finding(`did not open: ${JSON.stringify(stream)}`);
    // The told events of the right topics come last, so the first event shows whether anything was replayed.
    const { value } = (await stream.next()) as { value: SubgraphEvent };
    const result = await value({ ...context });
    await stream.return(undefined);
    const cursor = decodePosition(String((result.extensions as { cursor?: unknown } | undefined)?.cursor));
    const isReplayed = !live.length || !cursor || cursor.xid.length < 19;
    const leaks = leaksOf(JSON.stringify(result), markers, [call, viewer]);
    return [
      ...(isReplayed ? finding(`replayed ${JSON.stringify(result)}`) : []),
      ...leaks.flatMap((marker) => finding(`showed ${marker}`)),
    ];
  });
}

/** The victim's events of an area, as they were written. */
async function storedEvents({ panel, tenant }: RichScene, area: string): Promise<DeliveredEvent[]> {
  const rows = await panel.sql<OutboxRow>(
    `select ${outboxColumns} from ${area}.outbox where tenant_id = $1 order by xid, id`,
    [tenant.id],
  );
  return rows.map(toEvent);
}
