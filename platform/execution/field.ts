import {
  getNullableType,
  isLeafType,
  isNonNullType,
  locatedError,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type FieldNode,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type ResponsePath,
} from 'graphql';

import { argumentsReader } from './arguments.js';
import { completionOf, needsInfo, type FieldPlace } from './completion.js';
import { completeLater, failLater, type Complete } from './later.js';
import { fitFor, isFit } from './leaf.js';
import { isPromise } from './promises.js';
import { isReadable, propertyOf } from './property.js';
import { pathAsArray, type Definition, type Run } from './run.js';

/** Resolves and completes one field of an object: its value in the answer, or a promise of it. Throws a located error. */
export type ExecuteField = (run: Run, source: unknown, above: ResponsePath | undefined) => unknown;

export interface FieldSite {
  definition: Definition;
  parent: GraphQLObjectType;
  key: string;
  nodes: FieldNode[];
  select: FieldPlace['select'];
  nextSlot: () => number;
}

type Field = GraphQLField<unknown, unknown>;

/** `undefined` for a field that the type does not have, which is left out of the answer. */
export function compileField(site: FieldSite): ExecuteField | undefined {
  const { definition, parent, nodes } = site;
  const field = fieldOf(definition.schema, parent, nodes[0]!.name.value);
  if (!field) return undefined;
  if (field === TypeNameMetaFieldDef) return () => parent.name;
  const place = { coordinate: `${parent.name}.${field.name}`, nodes, select: site.select };
  const complete = completionOf(field.type, place);
  const leaf = getNullableType(field.type);
  const name = field.resolve ? propertyOf(field.resolve) : field.name;
  return isLeafType(leaf) && name !== undefined && field.args.length === 0
    ? property(site, field, name, complete, leaf)
    : resolved(site, field, complete);
}

function fieldOf(schema: GraphQLSchema, parent: GraphQLObjectType, name: string): Field | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (schema.getQueryType() === parent) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return parent.getFields()[name];
}

// What runs for every field of every row makes no functions: those that capture would cost an allocation each time,
// promise or none. So all that is to do later is set up by functions of its own.

/** Any field, by its resolver or else as a property of the object, with all that graphql-js gives them. */
function resolved(site: FieldSite, field: Field, complete: Complete): ExecuteField {
  const { key, nodes, parent } = site;
  const { resolve, name } = field;
  const typename = parent.name;
  const readArguments = argumentsReader(field, nodes[0]!, site.nextSlot);
  const wantsInfo = resolve !== undefined || needsInfo(field.type);
  const infoOf = infoMaker(site, field);
  const call = methodCaller(name, infoOf);
  const fail = failure(field, nodes);
  return (run, source, above) => {
    const path: ResponsePath = { prev: above, key, typename };
    const info = wantsInfo ? infoOf(run, path) : undefined;
    try {
      const args = readArguments(run);
      let result: unknown;
      if (resolve) {
        result = resolve(source, args, run.context, info!);
      } else if (isReadable(source)) {
        result = source[name];
        if (typeof result === 'function') result = call(run, source, args, path, info);
      }
      const completed = isPromise(result)
        ? completeLater(complete, run, result, path, info)
        : complete(run, result, path, info);
      return isPromise(completed) ? failLater(fail, run, completed, path) : completed;
    } catch (thrown) {
      return fail(run, thrown, path);
    }
  };
}

/** A leaf that is a property of the object, as most fields of most rows are: only what is wrong has a path. */
function property(
  site: FieldSite,
  field: Field,
  name: string,
  complete: Complete,
  type: GraphQLLeafType,
): ExecuteField {
  const { key, nodes, parent } = site;
  const typename = parent.name;
  const fit = fitFor(type);
  const call = methodCaller(name, infoMaker(site, field));
  const fail = failure(field, nodes);
  return (run, source, above) => {
    try {
      let value: unknown;
      if (isReadable(source)) {
        value = source[name];
        if (isFit(value, fit)) return value;
        if (typeof value === 'function') value = call(run, source, {}, { prev: above, key, typename });
      }
      const completed = isPromise(value)
        ? completeLater(complete, run, value, undefined, undefined)
        : complete(run, value, undefined, undefined);
      return isPromise(completed)
        ? failLater(fail, run, completed, { prev: above, key, typename })
        : completed;
    } catch (thrown) {
      return fail(run, thrown, { prev: above, key, typename });
    }
  };
}

type MakeInfo = (run: Run, path: ResponsePath) => GraphQLResolveInfo;
type Method = (args: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

function infoMaker({ definition, nodes, parent }: FieldSite, field: Field): MakeInfo {
  const { schema, operation, fragments } = definition;
  return (run, path) => ({
    fieldName: field.name,
    fieldNodes: nodes,
    returnType: field.type,
    parentType: parent,
    path,
    schema,
    fragments,
    rootValue: run.rootValue,
    operation,
    variableValues: run.variables,
  });
}

/** Calls the method that a property turned out to be. It is read again, which is seen where it has a getter. */
function methodCaller(name: string, infoOf: MakeInfo) {
  return (
    run: Run,
    source: unknown,
    args: Record<string, unknown>,
    path: ResponsePath,
    info?: GraphQLResolveInfo,
  ): unknown => (source as Record<string, Method>)[name]!(args, run.context, info ?? infoOf(run, path));
}

function failure({ type }: Field, nodes: readonly FieldNode[]) {
  return (run: Run, thrown: unknown, path: ResponsePath): null => {
    const error = locatedError(thrown, nodes, pathAsArray(path));
    if (isNonNullType(type)) throw error;
    run.add(error, path);
    return null;
  };
}
