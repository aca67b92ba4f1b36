import type { GraphQLSchema } from 'graphql';

import { argumentsFor, NoArguments, takesIds, variants, type Extent, type Source } from './arguments.js';
import { inTurns, type Finding } from './findings.js';
import { callers, operationOf, permissionsOf, type Access, type Caller, type Matrix } from './matrix.js';
import { callOf, leastOf, rootFields, type Call, type RootField } from './operations.js';
import type { Scene } from './scene.js';
import { outcomeOf, type Answer, type Target } from './target.js';

/** One row of the matrix with the operation it is about. */
export interface Declared {
  row: string;
  access: Access;
  root: RootField;
}

/** Rows whose operation the schema has; the others are findings of the matrix itself. */
export function declaredIn({ schema }: Pick<Target, 'schema'>, matrix: Matrix): Declared[] {
  const roots = new Map(rootFields(schema).map((root) => [root.coordinate, root]));
  return Object.entries(matrix).flatMap(([row, access]) => {
    const root = roots.get(operationOf(row));
    return root ? [{ row, access, root }] : [];
  });
}

/** The arguments of one row's call, or the finding that there is no way to make them. */
export function tryArguments(
  declared: Declared,
  source: Source,
  extent: Extent,
): Record<string, unknown> | Finding {
  const values = { ...source.values, ...variants[declared.row] };
  try {
    return argumentsFor(declared.root, { id: (noun) => source.id(noun), values }, extent);
  } catch (error) {
    if (!(error instanceof NoArguments)) throw error;
    return { where: declared.row, caller: '-', problem: `no arguments can be built: ${error.message}` };
  }
}

/** The same values, whatever addresses were made up for them. */
export const alike = (made: object): string => JSON.stringify(made).replaceAll(/[\da-f-]{36}@/g, '@');

/** In how many ways a row can be called: where nothing is optional, with everything is the same call. */
export function extentsOf(declared: Declared, source: Source): readonly Extent[] {
  const [required, everything] = (['required', 'everything'] as const).map((extent) =>
    alike(tryArguments(declared, source, extent)),
  );
  return required === everything ? ['required'] : ['required', 'everything'];
}

/** Whether it is a finding, and no arguments. */
export function isFinding(made: object): made is Finding {
  return 'problem' in made && 'where' in made;
}

/**
 * Calls every query and mutation as everybody, and tells where that ends otherwise than the matrix says. Who is to be
 * refused is refused by the subgraph itself, whatever comes before it: it is asked without a gateway.
 */
export async function roleFindings(
  target: Target,
  matrix: Matrix,
  scenes: { shared: Scene; fresh: () => Promise<Scene> },
  subgraphs: readonly Target[],
): Promise<Finding[]> {
  const permissions = permissionsOf(matrix);
  const declared = declaredIn(target, matrix).filter(({ root }) => root.kind !== 'subscription');
  let kept: Promise<Scene> | undefined;
  // A mutation that lets someone in may end what others need: it has a stage of its own, where the rest share one.
  const stageFor = async ({ kind, field }: RootField): Promise<Scene> => {
    if (kind !== 'mutation') return scenes.shared;
    return ends.test(field.name) ? scenes.fresh() : (kept ??= scenes.fresh());
  };
  return inTurns(declared, async (one) => {
    const { row, access, root } = one;
    const stage = await stageFor(root);
    const behind = subgraphs.find(({ schema }) => hasField(schema, root));
    if (!behind) throw new Error(`${root.coordinate} is of no subgraph`);
    const found: Finding[] = [];
    for (const caller of refusedFirst(access)) {
      const mayAct = access.callers.includes(caller);
      const scene = mayAct ? stage : scenes.shared;
      const token = await scene.token(
        caller,
        access.permission,
        permissions,
        // What is about the caller itself may well end its session.
        mayAct && root.kind === 'mutation' && !takesIds(root),
      );
      const args = tryArguments(one, scene, 'required');
      if (isFinding(args)) return [args];
      const call: Call = callOf(root, args, leastOf(root.field.type));
      const answer = await (mayAct ? target : behind).ask(call, token);
      const problem = judge(one, caller, answer);
      if (problem) found.push({ where: row, caller, problem });
    }
    return found;
  });
}

/** Whether a schema has that operation. */
export function hasField(schema: GraphQLSchema, { kind, field }: RootField): boolean {
  return field.name in (schema.getRootType(kind)?.getFields() ?? {});
}

/** Names of what takes a tenant, its node, its people or their tokens away. */
const ends =
  /^(cancel|change|close|createReenrollment|decommission|delete|disconnect|expire|reject|remove|report|reset|restore|revoke|rotate|suspend)/;

/** Whoever is let in may change what the others would be refused. */
export function refusedFirst({ callers: allowed }: Access): Caller[] {
  return callers.toSorted((a, b) => Number(allowed.includes(a)) - Number(allowed.includes(b)));
}

/** The code that a caller who is not let in gets. */
export function refusalFor({ refusal }: Access, caller: Caller): string {
  return refusal ?? (caller === 'anonymous' || caller === 'oauth' ? 'UNAUTHENTICATED' : 'FORBIDDEN');
}

// These tell nothing of whether the caller may.
const inconclusive = ['INTERNAL', 'RATE_LIMITED', 'UNAVAILABLE'];

function judge({ access, root }: Declared, caller: Caller, answer: Answer): string | undefined {
  const { code, reason } = answer;
  if (!access.callers.includes(caller)) {
    const expected = refusalFor(access, caller);
    return code === expected ? undefined : `was to be refused with ${expected}, but got ${outcomeOf(answer)}`;
  }
  if (access.wrongSecret) {
    if (reason === access.wrongSecret) return undefined;
    return `a wrong secret was to be refused with ${access.wrongSecret}, but got ${outcomeOf(answer)}`;
  }
  if (code === undefined || (access.outside && reason === access.outside)) return undefined;
  const isRefused = code === 'UNAUTHENTICATED' || code === 'FORBIDDEN';
  // Generated input may well be wrong input for a mutation; that it was looked at is enough.
  if (root.kind === 'mutation' && !isRefused && !inconclusive.includes(code)) return undefined;
  return `was to be let in, but got ${outcomeOf(answer)}`;
}
