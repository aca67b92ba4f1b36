import {
  getNamedType,
  getOperationAST,
  isInputObjectType,
  Kind,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLSchema,
} from 'graphql';

import { loadOperations, type Operation } from '../operations.js';
import { longestPage } from '../page.js';
import type { Route } from '../route.js';
import { snakeCase } from '../text.js';
import { errorSchemas, headers, headersOf, refusalResponses, refusalsOf } from './responses.js';
import { described, Schemas, type Schema } from './schemas.js';

export interface DescribedApi {
  schema: GraphQLSchema;
  routes: readonly Route[];
  /** Where the documents of `routes` are. */
  folder: string;
  /** The panel's. */
  version: string;
}

const about =
  'Errors are `{error, details?}`, their reason is in `X-Error-Reason`. Lists are whole without `limit`. Descriptions are those ' +
  'of the GraphQL API, of which these routes are a part: its words in capitals are in lower case here, its names in snake_case.';

/** The published routes as an OpenAPI document. All of it is in the table and the documents already. */
export function describeApi({ schema, routes, folder, version }: DescribedApi): Schema {
  const operations = loadOperations(
    schema,
    folder,
    routes.map(({ document }) => document),
  );
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Schema>> = {};
  const ids = new Set<string>();
  for (const route of routes) {
    const operation = operations.get(route.document)!;
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const described = describeRoute(route, operation, rootField(schema, operation), schemas);
    // A document may answer two methods.
    const id = ids.has(operation.operationName)
      ? `${operation.operationName}By${route.method}`
      : operation.operationName;
    ids.add(id);
    (paths[path] ??= {})[route.method.toLowerCase()] = { operationId: id, ...described };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Quazzar Control Panel', version, description: about },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An access token of a user, an API key (`qcp_...`), or on the paths of agents a node’s credential.',
        },
      },
      schemas: { ...errorSchemas, ...schemas.named },
      headers,
      responses: refusalResponses(),
    },
  };
}

function describeRoute(
  route: Route,
  operation: Operation,
  field: GraphQLField<unknown, unknown>,
  schemas: Schemas,
): Schema {
  const takesBody = route.body !== undefined;
  return {
    tags: [route.document.slice(0, route.document.indexOf('/'))],
    summary: wordsOf(operation.operationName),
    ...(field.description ? { description: field.description } : {}),
    ...(field.deprecationReason ? { deprecated: true } : {}),
    ...(route.public ? { security: [] } : {}),
    parameters: parametersOf(route, operation, field, schemas),
    ...(takesBody ? { requestBody: bodyOf(route, operation, schemas) } : {}),
    responses: {
      [route.reply.status]: answerOf(route, operation, schemas),
      ...refusalsOf(route, { takesBody, writes: operation.writes }),
    },
  };
}

function parametersOf(
  route: Route,
  operation: Operation,
  field: GraphQLField<unknown, unknown>,
  schemas: Schemas,
): Schema[] {
  const parameter = (name: string, place: 'path' | 'query'): Schema => {
    const { type, required } = operation.variables.get(name)!;
    const schema = schemas.present(type);
    return described(
      {
        name,
        in: place,
        ...(place === 'path' || required ? { required: true } : {}),
        // With commas.
        ...(schema['type'] === 'array' ? { style: 'form', explode: false } : {}),
        schema,
      },
      argumentOf(operation, field, name)?.description,
    );
  };
  return [
    ...route.params.map((name) => parameter(name, 'path')),
    ...(route.query ?? []).map((name) => parameter(name, 'query')),
    ...(isList(route) ? paging : []),
    ...(looksAtKey(field) ? [idempotencyKey] : []),
  ];
}

const paging: readonly Schema[] = [
  {
    name: 'limit',
    in: 'query',
    description: 'How many at most. Without it the whole list is answered.',
    schema: { type: 'integer', minimum: 1, maximum: longestPage },
  },
  {
    name: 'cursor',
    in: 'query',
    description: 'Where the page begins, as the `Link` of the one before has it.',
    schema: { type: 'string' },
  },
];

const idempotencyKey: Schema = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Repeated with the same key within 24 hours it is done once, and has the first answer again.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const listHeaders: Readonly<Record<string, Schema>> = {
  'X-Total-Count': { description: 'How many the whole list has.', schema: { type: 'integer' } },
  Link: { description: 'The next page, as `rel="next"`.', schema: { type: 'string' } },
};

function bodyOf({ body = '', accept }: Route, operation: Operation, schemas: Schemas): Schema {
  const schema = schemas.present(operation.variables.get(body)!.type);
  const types = ['application/json', ...(accept === 'form' ? ['application/x-www-form-urlencoded'] : [])];
  // An absent body is an empty object.
  const name = String(schema['$ref']).replace('#/components/schemas/', '');
  return {
    ...(schemas.named[name]?.['required'] === undefined ? {} : { required: true }),
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
  };
}

function answerOf(route: Route, { selection }: Operation, schemas: Schemas): Schema {
  const { verb } = route.reply;
  const reply = selection.get('reply')!;
  const own: Record<string, Schema> = isList(route) ? { ...listHeaders } : {};
  for (const [alias, name] of Object.entries(route.headers ?? {})) {
    const carried = selection.get(alias) ?? reply.children!.get(alias)!;
    own[name] = described({ schema: schemas.shown(carried.type) }, carried.description);
  }
  const all = { ...headersOf(), ...own };
  if (verb === 'noContent') return { description: 'It is done.', headers: all };
  const shown = verb === 'page' ? reply.children!.get('nodes')! : reply;
  const body = new Map([...(shown.children ?? [])].filter(([alias]) => route.headers?.[alias] === undefined));
  const schema = schemas.output(shown.type, shown.children && body, route.omitNull);
  return {
    description: verb === 'created' ? 'It is made.' : 'The answer.',
    headers: all,
    content: { 'application/json': { schema } },
  };
}

function isList({ reply: { verb } }: Route): boolean {
  return verb === 'page' || verb === 'list';
}

/** The field that `reply` is of. */
function rootField(
  schema: GraphQLSchema,
  { document, operationName }: Operation,
): GraphQLField<unknown, unknown> {
  const operation = getOperationAST(document)!;
  const fields = schema.getRootType(operation.operation)!.getFields();
  for (const node of operation.selectionSet.selections)
    if (node.kind === Kind.FIELD && node.alias?.value === 'reply') return fields[node.name.value]!;
  throw new Error(`${operationName} has no reply`);
}

/** The argument of the field, or the field of one, that a variable fills. */
function argumentOf(
  { argumentPaths }: Operation,
  { args }: GraphQLField<unknown, unknown>,
  variable: string,
): Pick<GraphQLArgument, 'description'> | undefined {
  const path = [...argumentPaths].find(([, filled]) => filled === variable)?.[0].split('.') ?? [];
  let found: Pick<GraphQLArgument, 'description' | 'type'> | undefined = args.find(
    ({ name }) => name === path[0],
  );
  for (const segment of path.slice(1)) {
    const type = found && getNamedType(found.type);
    found = isInputObjectType(type) ? type.getFields()[segment] : undefined;
  }
  return found;
}

function looksAtKey({ args }: GraphQLField<unknown, unknown>): boolean {
  return args.some(({ type }) => {
    const named = getNamedType(type);
    return isInputObjectType(named) && 'idempotencyKey' in named.getFields();
  });
}

/** `ListMspClients` becomes "List msp clients". */
function wordsOf(name: string): string {
  const words = snakeCase(name).replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
