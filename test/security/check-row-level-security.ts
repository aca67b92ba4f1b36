import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { Viewer } from '#platform/viewer.js';

import { argumentFor, type Extent } from './arguments.js';
import { callFor, entityKeys, representationOf } from './check-entities.js';
import type { Parties } from './check-isolation.js';
import { alike, declaredIn, extentsOf, isFinding, tryArguments, type Declared } from './check-roles.js';
import { inTurns, type Finding } from './findings.js';
import { leaksBeyond } from './markers.js';
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
    if (isFinding(call)) return [call];
    const belief = { viewer, tenantId: stranger.tenant.id, clock: victim.panel.clock };
    const answer = await subgraphTarget(unchecked(subgraph, belief)).ask(call, victim.oauthToken);
    return leaksBeyond([call, viewer], answer.text, markers).map((marker) => ({
      where,
      caller: `believed ${viewer.kind}`,
      problem: `showed ${marker}`,
    }));
  });
  const changes = changesOf(before, await settledRowsOf(victim.panel, victim.tenant.id));
  return {
    attempts: attempts.length,
    findings: [
      ...found,
      ...changes.map((problem) => ({ where: "the victim's rows", caller: 'believed', problem })),
    ],
  };
}

/** What the victim's own people would be taken for. */
export function viewersOf({ tenant, node }: RichScene): [Viewer, Viewer] {
  const who = { tenantId: tenant.id, expiresAt: 4_102_444_800 };
  return [
    {
      ...who,
      kind: 'user',
      userId: tenant.user.id,
      sessionId: 'ses_none',
      role: 'owner',
      isAdministrator: true,
    },
    { ...who, kind: 'node', instanceId: node.id, generation: 1, credentialExpiresAt: who.expiresAt },
  ];
}

function operationAttempts(subgraph: Subgraph, matrix: Matrix, viewer: Viewer, victim: RichScene): Attempt[] {
  const declared = declaredIn(subgraph, matrix).filter(
    ({ root, access }) => root.kind !== 'subscription' && !access.asJobs,
  );
  const sources = [victim, { id: victim.id.bind(victim), values: { ...victim.values, ...victim.secrets } }];
  return declared.flatMap((one) => {
    const calls = extentsOf(one, sources[1]!).flatMap((extent) =>
      sources.map((source) => callAs(one, subgraph, source, extent)),
    );
    // Most take no secret.
    const distinct = new Map(calls.map((call) => [alike(call), call]));
    return [...distinct.values()].map((call) => ({ where: one.row, subgraph, viewer, call }));
  });
}

/** One row's call with the source's things, or the finding that there is none. */
export function callAs(
  one: Declared,
  { schema }: Subgraph,
  source: Parameters<typeof tryArguments>[1],
  extent: Extent,
): Call | Finding {
  const args = tryArguments(one, source, extent);
  if (isFinding(args)) return args;
  const { type } = one.root.field;
  return callOf(
    one.root,
    args,
    allOf(type, schema, (owner, argument) => argumentFor(owner, argument, source)),
  );
}
