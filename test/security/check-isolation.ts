import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { argumentFor, takesIds, type Extent, type Source } from './arguments.js';
import { declaredIn, extentsOf, hasField, isFinding, tryArguments, type Declared } from './check-roles.js';
import { inTurns, type Finding } from './findings.js';
import { leaksBeyond, leaksIn } from './markers.js';
import { permissionsOf, type Caller, type Matrix } from './matrix.js';
import { allOf, callOf } from './operations.js';
import type { RichScene } from './rich-scene.js';
import { changesOf, settledRowsOf } from './rows.js';
import { outcomeOf, type Answer, type Target } from './target.js';

/** Whose things are asked for, and who asks. */
export interface Parties {
  victim: RichScene;
  stranger: RichScene;
}

interface Attempt {
  declared: Declared;
  caller: Caller;
  extent: Extent;
  source: Source & { ids: readonly string[] };
  /** Whether each id is of the kind that is asked for, so that the answer must be the declared one. */
  isExact: boolean;
}

const strangers: readonly Caller[] = ['owner', 'node', 'service', 'anonymous'];

/** What a subgraph is looked at for: the operations that are its own. */
type Area = Pick<Subgraph, 'name' | 'schema'>;

/** Calls every query and mutation from another tenant with the victim's ids, and tells what comes of it. */
export async function isolationFindings(
  target: Target,
  matrix: Matrix,
  parties: Parties,
  areas: readonly Area[],
): Promise<Finding[]> {
  const { victim } = parties;
  const markers = victim.markers([parties.stranger]);
  const before = await settledRowsOf(victim.panel, victim.tenant.id);
  const attempts = declaredIn(target, matrix)
    .filter(({ root }) => root.kind !== 'subscription')
    .flatMap((declared) => attemptsOf(declared, victim, areas));
  const found = await inTurns(attempts, async (attempt) =>
    askAsStranger(target, matrix, attempt, parties, markers),
  );
  const changes = changesOf(before, await settledRowsOf(victim.panel, victim.tenant.id));
  return [
    ...found,
    ...changes.map((problem) => ({ where: "the victim's rows", caller: 'stranger', problem })),
  ];
}

/**
 * With the ids that fit, as everyone; and with each other id that the operation's area keeps anywhere in their place, in
 * case kinds are confused: what is in none of its tables the area's role in the database can not come upon.
 */
function attemptsOf(declared: Declared, victim: RichScene, areas: readonly Area[]): Attempt[] {
  const { access, root } = declared;
  const main = mainStranger(declared);
  const exact = extentsOf(declared, victim).flatMap((extent) =>
    strangers
      .filter((caller) => !access.acrossTenants?.includes(caller))
      .map((caller) => ({ declared, caller, extent, source: victim, isExact: true })),
  );
  if (!takesIds(root) || !main) return exact;
  const area = areas.find(({ schema }) => hasField(schema, root));
  if (!area) throw new Error(`${root.coordinate} is of no subgraph`);
  const confused = victim.idsIn(area.name).map((id): Attempt => ({
    declared,
    caller: main,
    extent: 'everything',
    source: { id: () => id, values: victim.values, ids: [id] },
    isExact: false,
  }));
  return [...exact, ...confused];
}

/** Whoever may call it at home, so that nothing but the ids can be in the way. */
function mainStranger({ access }: Declared): Caller | undefined {
  return strangers.find(
    (caller) => access.callers.includes(caller) && !access.acrossTenants?.includes(caller),
  );
}

async function askAsStranger(
  target: Target,
  matrix: Matrix,
  { declared, caller, extent, source, isExact }: Attempt,
  { stranger }: Parties,
  markers: readonly string[],
): Promise<Finding[]> {
  const { row, access, root } = declared;
  const finding = (problem: string): Finding => ({ where: row, caller, problem });
  const args = tryArguments(declared, source, extent);
  if (isFinding(args)) return [args];
  const selection = allOf(root.field.type, target.schema, (owner, argument) =>
    argumentFor(owner, argument, source),
  );
  // What is about the caller itself may well end its session.
  const isNew = root.kind === 'mutation' && !takesIds(root);
  const token = await stranger.token(caller, access.permission, permissionsOf(matrix), isNew);
  const answer = await target.ask(callOf(root, args, selection), token);
  const leaks = leaksBeyond(args, answer.text, markers).map((marker) => finding(`showed ${marker}`));
  // Others may be stopped before their ids are looked at.
  if (caller !== mainStranger(declared)) return leaks;
  const given = JSON.stringify(args);
  const isAboutIds = isExact && source.ids.some((id) => given.includes(id));
  const problem = judge(declared, answer, isAboutIds, extent);
  return problem ? [...leaks, finding(problem)] : leaks;
}

function judge(
  { access, root }: Declared,
  answer: Answer,
  isAboutIds: boolean,
  extent: Extent,
): string | undefined {
  // What signs somebody in answers about another tenant than its caller's, which other subgraphs cannot add to.
  const isPublic = access.permission === undefined;
  if ((answer.code === 'INTERNAL' && !isPublic) || answer.code === 'RATE_LIMITED')
    return `ended with ${outcomeOf(answer)}`;
  const isOfToken = answer.reason === undefined || answer.reason.startsWith('TOKEN_');
  if (answer.code === 'UNAUTHENTICATED' && isOfToken && !access.wrongSecret) {
    return `refused the stranger's own token (${outcomeOf(answer)}), so that nothing was tried`;
  }
  if (!isAboutIds) return undefined;
  if (answer.code === undefined) {
    return isEmpty(answer.data?.[root.field.name]) ? undefined : 'answered about a thing of another tenant';
  }
  // Not all that can be said at once may be said at once, and that is looked at first.
  if (extent === 'everything' && ['VALIDATION_FAILED', 'BAD_REQUEST'].includes(answer.code)) return undefined;
  const expected = access.foreign ?? 'NOT_FOUND';
  if (answer.code === expected || answer.reason === expected) return undefined;
  return `was to be ${expected}, but got ${outcomeOf(answer)}`;
}

/** Null, no entries, or a page without any. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && 'nodes' in value && isEmpty(value.nodes);
}

/** The same calls by their owner, about its own things: whatever they do not show here they cannot show strangers. */
export async function controlFindings(target: Target, matrix: Matrix, owner: RichScene): Promise<Finding[]> {
  let shown = '';
  const queries = declaredIn(target, matrix).filter(
    ({ root, access }) => root.kind === 'query' && access.callers.includes('owner'),
  );
  const found = await inTurns(queries, async (declared) => {
    const { row, root, access } = declared;
    const args = tryArguments(declared, owner, 'required');
    if (isFinding(args)) return [args];
    const selection = allOf(root.field.type, target.schema, (type, argument) =>
      argumentFor(type, argument, owner),
    );
    const answer = await target.ask(callOf(root, args, selection), owner.tenant.token);
    shown += answer.text;
    const problem = `did not answer its own tenant: ${outcomeOf(answer)}`;
    const isAnswered = answer.code === undefined || (access.outside && answer.reason === access.outside);
    return isAnswered ? [] : [{ where: row, caller: 'owner', problem }];
  });
  const unseen = owner.visible.filter((marker) => leaksIn(shown, [marker]).length === 0);
  return [
    ...found,
    ...unseen.map((marker) => ({ where: 'all queries', caller: 'owner', problem: `never show ${marker}` })),
  ];
}
