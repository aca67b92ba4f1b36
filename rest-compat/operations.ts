import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  getOperationAST,
  Kind,
  OperationTypeNode,
  parse,
  typeFromAST,
  validate,
  visit,
  type ASTNode,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type TypeNode,
  type ValueNode,
} from 'graphql';

import { selectionOf, type Selection } from './selection.js';

/** One document, parsed and checked against the API schema. */
export interface Operation {
  document: DocumentNode;
  operationName: string;
  /** Whether it is a mutation. */
  writes: boolean;
  variables: ReadonlyMap<string, Variable>;
  selection: Selection;
  /** Where in the fields' arguments each variable stands, those of the root first: `filter.status` to `status`. */
  argumentPaths: ReadonlyMap<string, string>;
}

export interface Variable {
  type: GraphQLInputType;
  required: boolean;
}

/** Documents that were loaded in this process, by the schema that they were checked against, and by their files. */
const loaded = new WeakMap<GraphQLSchema, Map<string, Operation>>();

/** Loads every named document once; throws with all that is wrong in any of them. */
export function loadOperations(
  schema: GraphQLSchema,
  folder: string,
  names: Iterable<string>,
): ReadonlyMap<string, Operation> {
  const known = loaded.get(schema) ?? new Map<string, Operation>();
  loaded.set(schema, known);
  const operations = new Map<string, Operation>();
  const faults: string[] = [];
  for (const name of new Set(names)) {
    try {
      const file = join(folder, `${name}.graphql`);
      const operation = known.get(file) ?? compile(schema, name, readFileSync(file, 'utf8'));
      known.set(file, operation);
      operations.set(name, operation);
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw new Error(`REST operations do not fit the API schema:\n${faults.join('\n')}`);
  return operations;
}

function compile(schema: GraphQLSchema, name: string, source: string): Operation {
  const document = parse(source);
  const errors = validate(schema, document);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join(' '));

  const operation = getOperationAST(document);
  const operationName = operation?.name?.value;
  const root = operation && schema.getRootType(operation.operation);
  if (!root || operationName !== name.slice(name.lastIndexOf('/') + 1)) {
    throw new Error('the file holds exactly one operation, of the same name');
  }
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const selection = selectionOf(schema, fragments, [[root, operation.selectionSet]]);
  if (!selection.has('reply')) throw new Error('the root field is aliased reply');
  return {
    document,
    operationName,
    writes: operation.operation === OperationTypeNode.MUTATION,
    selection,
    variables: variablesOf(schema, operation),
    argumentPaths: argumentPathsOf(operation),
  };
}

/** The document of a page that follows another: the list's length is known by then, and counting it is dear. */
export function withoutTotal(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field(node, _key, _parent, _path, ancestors) {
      const inReply = ancestors.some((above) => 'kind' in above && isReply(above));
      if (isReply(node) || !inReply) return undefined;
      // Not a look further down: only the page's own count goes.
      return node.name.value === 'totalCount' && node.alias === undefined ? null : false;
    },
  });
}

function isReply(node: ASTNode): boolean {
  return node.kind === Kind.FIELD && node.alias?.value === 'reply';
}

function variablesOf(schema: GraphQLSchema, operation: OperationDefinitionNode): Map<string, Variable> {
  return new Map(
    (operation.variableDefinitions ?? []).map(({ variable, type, defaultValue }) => [
      variable.name.value,
      {
        type: inputType(schema, type),
        required: type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
      },
    ]),
  );
}

function inputType(schema: GraphQLSchema, node: TypeNode): GraphQLInputType {
  // graphql declares typeFromAST per kind of node; validation has made sure that a variable has an input type.
  const type = (typeFromAST as (schema: GraphQLSchema, node: TypeNode) => unknown)(schema, node);
  return type as GraphQLInputType;
}

function argumentPathsOf(operation: OperationDefinitionNode): Map<string, string> {
  const paths = new Map<string, string>();
  const walk = (path: string, value: ValueNode): void => {
    if (value.kind === Kind.VARIABLE && !paths.has(path)) paths.set(path, value.name.value);
    if (value.kind !== Kind.OBJECT) return;
    for (const field of value.fields) walk(`${path}.${field.name.value}`, field.value);
  };
  visit(operation, {
    Field({ arguments: given = [] }) {
      for (const argument of given) walk(argument.name.value, argument.value);
    },
  });
  return paths;
}
