import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  isObjectType,
  responsePathAsArray,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
} from 'graphql';

import { readsProperty } from '#platform/execution/property.js';

import type { Choices } from './choices.js';
import { color, odd, propertyOf, type World } from './world.js';

type Context = { world: World };
type Fields = GraphQLFieldConfigMap<unknown, Context>;

const range = new GraphQLInputObjectType({
  name: 'Range',
  fields: { from: { type: new GraphQLNonNull(GraphQLInt) }, to: { type: GraphQLInt, defaultValue: 9 } },
});

const args = {
  size: { type: GraphQLInt, defaultValue: 3 },
  range: { type: range },
  must: { type: new GraphQLNonNull(GraphQLString), defaultValue: 'must' },
  odd: { type: odd },
};

/** A schema of a few types that refer to each other, whose fields are resolved in all the ways there are. */
export function someSchema({ below, chance, of }: Choices): GraphQLSchema {
  const schema: { value?: GraphQLSchema } = {};
  const shared: Fields = { name: { type: GraphQLString } };
  const named = new GraphQLInterfaceType({
    name: 'Named',
    fields: () => shared,
    ...typeResolver(of(['none', 'now', 'later', 'wrong'])),
  });
  const types: GraphQLObjectType<unknown, Context>[] = Array.from({ length: 1 + below(3) }, (_, at) => {
    const kind = of(['none', 'none', 'now', 'later', 'wrong'] as const);
    return new GraphQLObjectType<unknown, Context>({
      name: `Thing${at}`,
      interfaces: at === 0 || chance(50) ? [named] : [],
      fields: () => ({ ...shared, ...fields(`Thing${at}`, 2 + below(4)) }),
      ...(kind === 'none' ? {} : { isTypeOf: typeTest(`Thing${at}`, kind) }),
    });
  });
  const either = new GraphQLUnionType({
    name: 'Either',
    types,
    ...typeResolver(of(['none', 'now', 'later', 'wrong'])),
  });
  const leaves = [GraphQLString, GraphQLInt, GraphQLFloat, GraphQLID, GraphQLBoolean, color, odd];

  function fields(owner: string, count: number, nonNull?: number): Fields {
    return Object.fromEntries(
      Array.from({ length: count }, (_, at) => {
        const how = of(['property', 'method', 'resolved', 'renamed'] as const);
        return [`${how}${at}`, field(owner, nonNull, how, at)];
      }),
    );
  }

  function field(
    owner: string,
    nonNull: number | undefined,
    how: 'property' | 'method' | 'resolved' | 'renamed',
    at: number,
  ): GraphQLFieldConfig<unknown, Context> {
    const type = wrapped(of<GraphQLOutputType>(chance(50) ? leaves : [...types, named, either]), 2, nonNull);
    return {
      type,
      ...(chance(40) ? { args } : {}),
      ...(how === 'resolved' ? { resolve: resolver(owner, type) } : {}),
      ...(how === 'renamed' ? { resolve: readsProperty(propertyOf(`renamed${at}`)) } : {}),
    };
  }

  function wrapped(type: GraphQLOutputType, depth: number, nonNull = 35): GraphQLOutputType {
    const inner = depth > 0 && chance(35) ? new GraphQLList(wrapped(type, depth - 1)) : type;
    return chance(nonNull) ? new GraphQLNonNull(inner) : inner;
  }

  function resolver(owner: string, type: GraphQLOutputType) {
    return (
      source: unknown,
      given: Record<string, unknown>,
      { world }: Context,
      info: GraphQLResolveInfo,
    ) => {
      const place = `${responsePathAsArray(info.path).join('.')}`;
      world.note(
        `resolve ${owner} ${placeOf(source)} ${place} ${JSON.stringify([given, info.variableValues])}`,
      );
      // What a resolver does to its arguments is nobody else's concern.
      given['size'] = 'spoilt';
      if (typeof given['odd'] === 'object' && given['odd'] !== null)
        Object.assign(given['odd'], { spoilt: place });
      if (info.fieldNodes.length === 0 || info.returnType !== type) throw new Error('wrong info');
      return world.outcome(type, `${place}!`, schema.value!);
    };
  }

  const root = (name: string) =>
    new GraphQLObjectType<unknown, Context>({ name, fields: () => fields(name, 3 + below(3), 10) });
  schema.value = new GraphQLSchema({
    query: root('Query'),
    mutation: root('Mutation'),
    subscription: root('Subscription'),
    types: [...types, named, either],
  });
  // Thunks are called late, but choices belong to the schema.
  for (const type of Object.values(schema.value.getTypeMap())) if (isObjectType(type)) type.getFields();
  return schema.value;
}

function placeOf(source: unknown): string {
  return typeof source === 'object' && source !== null && 'place' in source ? String(source.place) : '-';
}

type Way = 'none' | 'now' | 'later' | 'wrong';

function typeResolver(way: Way) {
  if (way === 'none') return {};
  return {
    resolveType: (value: unknown, { world }: Context, info: GraphQLResolveInfo): string | Promise<string> => {
      world.note(`type of ${placeOf(value)} at ${responsePathAsArray(info.path).join('.')}`);
      const is = String((value as { is?: unknown } | null)?.is);
      const odd = world.dice(`type of ${placeOf(value)}`);
      const name = way === 'wrong' ? odd.of<unknown>(['Nothing', 'Color', 7, undefined, 'Query', is]) : is;
      if (odd.chance(world.climate.faults)) throw new Error('no type');
      return (way === 'later' || odd.chance(20) ? (async () => name)() : name) as string;
    },
  };
}

function typeTest(name: string, way: Way) {
  return (value: unknown, { world }: Context, info: GraphQLResolveInfo): boolean | Promise<boolean> => {
    world.note(`is ${placeOf(value)} a ${name} at ${info.fieldName}`);
    const dice = world.dice(`is ${placeOf(value)}`);
    const is = (value as { is?: unknown } | null)?.is === name && (way !== 'wrong' || dice.chance(50));
    if (dice.chance(world.climate.faults / 2)) throw new Error('no idea');
    return way === 'later' ? (async () => is)() : is;
  };
}
