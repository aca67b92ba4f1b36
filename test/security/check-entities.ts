import { isObjectType, isUnionType, parse, visit, type GraphQLObjectType } from 'graphql';

import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { argumentFor, NoArguments, type Source } from './arguments.js';
import type { Parties } from './check-isolation.js';
import { inTurns, type Finding } from './findings.js';
import { leaksBeyond } from './markers.js';
import { allOf, type Call } from './operations.js';
import { outcomeOf, type Answer, type Target } from './target.js';

/** One `@key` of one type of one subgraph. */
export interface EntityKey {
  subgraph: Subgraph;
  type: GraphQLObjectType;
  fields: readonly string[];
}

/** Every key by which a subgraph can be asked for an entity. */
export function entityKeys(subgraphs: readonly Subgraph[]): EntityKey[] {
  return subgraphs.flatMap((subgraph) => {
    const union = subgraph.schema.getType('_Entity');
    const types = isUnionType(union) ? union.getTypes() : [];
    return types.flatMap((type) => keysOf(subgraph, type.name).map((fields) => ({ subgraph, type, fields })));
  });
}

function keysOf({ sdl }: Subgraph, type: string): string[][] {
  const keys: string[][] = [];
  visit(parse(sdl), {
    ObjectTypeDefinition({ name, directives = [] }) {
      if (name.value !== type) return;
      for (const directive of directives.filter((one) => one.name.value === 'key')) {
        const fields = directive.arguments?.find((argument) => argument.name.value === 'fields')?.value;
        if (fields?.kind === 'StringValue') keys.push(fields.value.trim().split(/\s+/));
      }
    },
  });
  return keys;
}

/** Asks each subgraph for the victim's entities as the gateway would for a stranger, and as it would for their owner. */
export async function entityFindings(
  keys: readonly EntityKey[],
  targetOf: (subgraph: Subgraph) => Target,
  { victim, stranger }: Parties,
): Promise<Finding[]> {
  const markers = victim.markers([stranger]);
  const [own, foreign] = await Promise.all([
    victim.token('owner', undefined, []),
    stranger.token('owner', undefined, []),
  ]);
  return inTurns(keys, async (key) => {
    const target = targetOf(key.subgraph);
    const where = `${key.subgraph.name}: ${key.type.name} by ${key.fields.join(' ')}`;
    let exact: Record<string, unknown>;
    try {
      exact = representationOf(key, victim);
    } catch (error) {
      if (!(error instanceof NoArguments)) throw error;
      return [{ where, caller: '-', problem: `no key can be built: ${error.message}` }];
    }
    const control = await target.ask(callFor(key, exact, victim), own);
    const isResolved = control.code === undefined && entityIn(control) !== null;
    const found: Finding[] = isResolved
      ? []
      : [{ where, caller: 'owner', problem: `is not resolved for its own tenant: ${outcomeOf(control)}` }];
    const confused = victim.ids.map((id) => representationOf(key, { id: () => id, values: {} }));
    for (const representation of [exact, ...confused]) {
      const answer = await target.ask(callFor(key, representation, victim), foreign);
      found.push(
        ...judge(key, representation, answer, markers).map((problem) => ({
          where,
          caller: 'stranger',
          problem,
        })),
      );
    }
    return found;
  });
}

/** `{ __typename, id }`: the kind of each id follows from its field, or for `id` from the type. */
export function representationOf(
  { type, fields }: Omit<EntityKey, 'subgraph'>,
  source: Source,
): Record<string, unknown> {
  const entries = fields.map((field) => {
    const noun = field === 'id' ? type.name : field.replace(/Id$/, '');
    return [field, source.id(noun.charAt(0).toLowerCase() + noun.slice(1))] as const;
  });
  return { __typename: type.name, ...Object.fromEntries(entries) };
}

/** Everything that the subgraph knows of one entity. */
export function callFor(
  { subgraph, type }: EntityKey,
  representation: Record<string, unknown>,
  source: Source,
): Call {
  const selection = allOf(type, subgraph.schema, (owner, argument) => argumentFor(owner, argument, source));
  return {
    query: `query($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type.name} ${selection} } }`,
    variables: { representations: [representation] },
  };
}

/** What by themselves say that they need no permission: another area's answer shows them, and that says to whom. */
const shownElsewhere = [
  'fleet: InstanceScore',
  'fleet: BillingSubscription',
  'fleet: NodeUsage',
  'fleet: StorageUsage',
  'identity: UserUsage',
];

/** Asks each subgraph for its tenant's entities by a token that lists nothing. */
export async function unlistedFindings(
  keys: readonly EntityKey[],
  targetOf: (subgraph: Subgraph) => Target,
  { victim }: Pick<Parties, 'victim'>,
): Promise<Finding[]> {
  return inTurns(keys, async (key) => {
    const where = `${key.subgraph.name}: ${key.type.name}`;
    const representation = representationOf(key, victim);
    const token = await victim.token('other service', undefined, []);
    const answer = await targetOf(key.subgraph).ask(callFor(key, representation, victim), token);
    const names = beside(representation, entityIn(answer));
    if (names.length === 0 || shownElsewhere.includes(where)) return [];
    return [{ where, caller: 'who lists nothing', problem: `answered ${names.join(', ')}` }];
  });
}

function entityIn({ data }: Answer): unknown {
  const list = data?.['_entities'];
  return Array.isArray(list) ? list[0] : null;
}

/** Null, or the key that was given with nothing else. */
function judge(
  { type }: EntityKey,
  representation: Record<string, unknown>,
  answer: Answer,
  markers: readonly string[],
): string[] {
  const leaks = leaksBeyond(representation, answer.text, markers).map((marker) => `showed ${marker}`);
  if (answer.code === 'INTERNAL') return [...leaks, 'ended with INTERNAL'];
  const names = beside(representation, entityIn(answer));
  return names.length === 0 || !isObjectType(type)
    ? leaks
    : [...leaks, `answered ${names.join(', ')} of another tenant's entity`];
}

/** What is told of an entity beside its key. */
function beside(representation: Record<string, unknown>, entity: unknown): string[] {
  if (entity === null || typeof entity !== 'object') return [];
  const extra = Object.entries(entity).filter(([name, value]) => value !== null && !(name in representation));
  return extra.map(([name]) => name);
}
