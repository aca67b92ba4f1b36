import type { GraphQLObjectType, GraphQLResolveInfo } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

import { authorize } from './auth-checker.js';
import type { SubgraphContext } from './build.js';
import { argumentsReader, inputReader } from './input-classes.js';
import { checkArguments } from './storable.middleware.js';

type Arguments = Record<string, unknown>;
type Resolve = (
  root: unknown,
  args: Arguments,
  context: SubgraphContext,
  info: GraphQLResolveInfo,
) => unknown;
type Metadata = ReturnType<typeof getMetadataStorage>['queries'][number];
type Parameter = NonNullable<Metadata['params']>[number];
type Read = (args: Arguments, context: SubgraphContext, info: GraphQLResolveInfo) => unknown;

/**
 * The resolvers of queries and mutations, each made once of what its decorators say. type-graphql's own look for their
 * classes among all that there are at every call, and run each middleware in promises of its own: a tenth of what a short
 * request takes.
 *
 * Arguments that can not be stored are refused, and every mutation is audited in its own transaction. A field marked
 * `@Extensions({ audit: false })` is not: beats and other telemetry, which would drown the trail.
 */
export function rootResolvers(
  type: GraphQLObjectType | null | undefined,
  kind: 'queries' | 'mutations',
  classes: readonly unknown[],
): Record<string, Resolve> {
  const known = getMetadataStorage()[kind].filter(({ target }) => classes.includes(target));
  return Object.fromEntries(
    Object.values(type?.getFields() ?? {}).map(({ name, extensions }) => {
      const metadata = known.find(({ schemaName }) => schemaName === name);
      if (!metadata) throw new Error(`No resolver declares ${name}`);
      const isAudited = kind === 'mutations' && extensions['audit'] !== false;
      return [name, resolverOf(metadata, { isAudited, mendsText: extensions['mendsText'] === true })];
    }),
  );
}

function resolverOf(
  { schemaName, target, methodName, roles, params = [], middlewares = [] }: Metadata,
  { isAudited, mendsText }: { isAudited: boolean; mendsText: boolean },
): Resolve {
  const inOrder = params.toSorted((a, b) => a.index - b.index);
  if (middlewares.length > 0 || inOrder.some(({ index }, at) => index !== at))
    throw new Error(`${schemaName} has a middleware, or a parameter without a decorator`);
  const reads = inOrder.map(parameterReader);
  return (_root, args, context, info) => {
    if (roles) authorize(context, roles as string[]);
    checkArguments(args, mendsText);
    const resolver = context.wiring.resolvers.get(target) as Record<string, (...given: unknown[]) => unknown>;
    const call = () => resolver[methodName]!(...reads.map((read) => read(args, context, info)));
    return isAudited ? context.operation.mutation({ name: schemaName, args }, async () => call()) : call();
  };
}

function parameterReader(parameter: Parameter): Read {
  switch (parameter.kind) {
    case 'args': {
      const read = argumentsReader(parameter.getType());
      return (args) => read(args);
    }
    case 'arg': {
      const { name } = parameter;
      const read = inputReader(parameter.getType());
      return (args) => read(args[name]);
    }
    case 'context': {
      const { propertyName } = parameter;
      return (_args, context) =>
        propertyName === undefined ? context : context[propertyName as keyof SubgraphContext];
    }
    case 'info':
      return (_args, _context, info) => info;
    case 'root':
    case 'pubSub':
    case 'custom':
      throw new Error(`A root field takes no parameter of the kind ${parameter.kind}`);
  }
}
