import { silentLogger } from '#platform/logger.js';
import { start, type DeliveredEvent } from '#platform/outbox/event.js';
import { readOutbox } from '#platform/outbox/reader.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { SubgraphRunner, type SubgraphEvent } from '#platform/subgraph/subgraph-runner.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { Live } from '../support/live.js';
import type { Parties } from './check-isolation.js';
import { declaredIn, isFinding } from './check-roles.js';
import { callAs, viewersOf } from './check-row-level-security.js';
import { openAs } from './check-subscriptions.js';
import { inTurns, type Finding } from './findings.js';
import { leaksBeyond } from './markers.js';
import type { Matrix } from './matrix.js';
import type { RichScene } from './rich-scene.js';
import type { Target } from './target.js';
import { unchecked, wasTold } from './unchecked.js';

const notResumable = '';

const context = { requestId: 'test', clientAddress: '127.0.0.1' };

/**
 * Resumes every subscription as the victim, with a cursor of its own, while the database is in the stranger's session:
 * nothing that is stored may be replayed, and of an event that is told as it happens only the fact may come through.
 */
export async function replayFindings(
  panel: Target,
  subgraphs: readonly Subgraph[],
  matrix: Matrix,
  { victim, stranger }: Parties,
): Promise<Finding[]> {
  const cursors = await cursorsOf(panel, matrix, victim);
  await victim.act();
  await victim.reread();
  const markers = victim.markers([stranger]);
  const subscriptions = subgraphs.flatMap((subgraph) =>
    declaredIn(subgraph, matrix)
      .filter(({ root, access }) => root.kind === 'subscription' && !access.ofPanel)
      .map((one) => ({ subgraph, one })),
  );
  return inTurns(subscriptions, async ({ subgraph, one }) => {
    const [user, node] = viewersOf(victim);
    const believed = one.access.callers.includes('owner') ? user : node;
    // Administrators follow partners by events of the panel's own, and none of these is.
    const viewer = believed.kind === 'user' ? { ...believed, isAdministrator: false } : believed;
    const finding = (problem: string) => [{ where: one.row, caller: `believed ${viewer.kind}`, problem }];
    const after = cursors.get(one.row);
    if (after === undefined) return finding('told its own tenant nothing');
    // What is told as it is measured is kept nowhere, and cannot be resumed.
    if (after === notResumable) return [];
    const call = callAs(one, subgraph, victim, 'required');
    if (isFinding(call)) return [call];
    const live = await storedEvents(subgraph, victim);
    const belief = { viewer, tenantId: stranger.tenant.id, clock: victim.panel.clock, live };
    const stream = await new SubgraphRunner(unchecked(subgraph, belief), silentLogger).subscribe(call, {
      ...context,
      after,
    });
    if (!(Symbol.asyncIterator in stream)) return finding(`did not open: ${JSON.stringify(stream)}`);
    // What is told comes after what is replayed, so the first event shows whether anything was.
    const { value } = (await stream.next()) as { value: SubgraphEvent };
    const result = await value(async () => ({ ...context }));
    await stream.return(undefined);
    const { cursor } = (result.extensions ?? {}) as { cursor?: string };
    return [
      ...(wasTold(cursor) ? [] : finding(`replayed ${JSON.stringify(result)}`)),
      ...leaksBeyond([call, viewer], JSON.stringify(result), markers).flatMap((marker) =>
        finding(`showed ${marker}`),
      ),
    ];
  });
}

/** The cursor of the first event of each subscription. */
async function cursorsOf(panel: Target, matrix: Matrix, victim: RichScene): Promise<Map<string, string>> {
  const opened = await Promise.all(
    declaredIn(panel, matrix)
      .filter(({ root }) => root.kind === 'subscription')
      .map(async (one) => ({ one, live: await openAs(panel, one, victim, victim, 'required') })),
  );
  await Promise.all(opened.map(async ({ live }) => live instanceof Live && live.opened()));
  await victim.act();
  const cursors = await Promise.all(
    opened.map(async ({ one, live }) => [one, await firstCursor(live)] as const),
  );
  return new Map(
    cursors.flatMap(([one, cursor]): [string, string][] => (cursor !== undefined ? [[one.row, cursor]] : [])),
  );
}

async function firstCursor(live: Live | Finding): Promise<string | undefined> {
  if (!(live instanceof Live)) return undefined;
  const [first] = await live.received(1, 5_000).catch(() => []);
  await live.close();
  return first && (first.extensions?.cursor ?? notResumable);
}

/** The victim's events of the subgraph's area, as they were written. */
async function storedEvents(subgraph: Subgraph, { tenant }: RichScene): Promise<DeliveredEvent[]> {
  const { operation } = (await subgraph.createContext(context)) as SubgraphContext;
  const { database } = operation;
  return readOutbox(database.forJobs(), database.area, { after: start, limit: 1_000, tenantId: tenant.id });
}
