import { getNullableType, isInputObjectType, type DocumentNode, type GraphQLInputObjectType } from 'graphql';

import type { FindBrokenRules } from '#platform/input-rules.js';

import type { SentBody } from './body.js';
import { inputReader, isReport, noFields, textReader, type InputReader } from './inputs.js';
import type { ReadText } from './leaves.js';
import { withoutTotal, type Operation } from './operations.js';
import { longestPage } from './page.js';
import { Problems } from './problems.js';
import { nullDropper, renderer, type Render } from './render.js';
import type { Route } from './route.js';
import { selects, type Selection } from './selection.js';
import { asSent } from './sent-names.js';

/** What a client sent, taken apart but not yet understood. */
export interface Sent {
  /** Decoded values of the path's parameters, in order. */
  params: readonly string[];
  query: URLSearchParams;
  body: SentBody;
}

/** A row with everything about it that can be known before the first request. */
export interface Endpoint {
  route: Route;
  operation: Operation;
  /** For pages after the first. */
  followUp: DocumentNode;
  /** Whether a body is looked at: everywhere but on GET and DELETE rows without one. */
  takesBody: boolean;
  /** Whether the body is a report of a node: what of it is not understood is no reason to refuse it. */
  isReport: boolean;
  /** The operation's variables; throws a Refusal that names all that is wrong. */
  read: (sent: Sent) => Record<string, unknown>;
  /** Enums, times and nulls as REST shows them; applied to the whole `data`. */
  render: Render;
  /** The client's name for a path in the GraphQL arguments. */
  asSent: (argumentPath: string) => string;
  headers: readonly CarriedHeader[];
}

/** A selected value that travels in a header: it stands beside `reply`, or in it and is then taken out of the body. */
export interface CarriedHeader {
  alias: string;
  header: string;
  inReply: boolean;
}

interface TextVariable {
  sentAs: string;
  variable: string;
  required: boolean;
  read: ReadText;
}

/** The query parameters of every page, and the variables they become. */
const paging = [
  ['limit', 'first'],
  ['cursor', 'after'],
] as const;

/** Compiles one row. Throws when the row and its document do not fit each other. */
export function compileEndpoint(route: Route, operation: Operation, brokenRules?: FindBrokenRules): Endpoint {
  const bodyType = bodyTypeOf(route, operation);
  const bodyReader = bodyType ? inputReader(bodyType) : noFields;
  const params = route.params.map((name) => textVariable(operation, name, name));
  const query = (route.query ?? []).map((name) => textVariable(operation, name, name));
  if (route.reply.verb === 'page') query.push(...pagingVariables(operation));
  if (route.reply.verb === 'list') query.push(...cutting);
  checkVariables(route, operation, [...params, ...query]);
  checkSelection(route, operation);
  const known = new Set(query.map(({ sentAs: name }) => name));
  const sentAs = asSent(operation, [...params, ...query], route.body, bodyType);

  return {
    route,
    operation,
    followUp: route.reply.verb === 'page' ? withoutTotal(operation.document) : operation.document,
    takesBody: route.body !== undefined || !['GET', 'DELETE'].includes(route.method),
    isReport: bodyType !== undefined && isReport(bodyType),
    read: (sent) =>
      readVariables(sent, {
        params,
        query,
        known: route.unknownQuery === 'ignored' ? undefined : known,
        body: route.body,
        bodyReader,
        addBroken: (input, problems) => {
          if (!bodyType || route.body === undefined || !brokenRules) return;
          for (const [path, sentence] of Object.entries(brokenRules(bodyType.name, input, route.body)))
            problems.alsoBroken(sentAs(path), sentence);
        },
      }),
    render: renderReply(route, operation),
    asSent: sentAs,
    headers: Object.entries(route.headers ?? {}).map(([alias, header]) => ({
      alias,
      header,
      inReply: !operation.selection.has(alias),
    })),
  };
}

interface Readers {
  params: readonly TextVariable[];
  query: readonly TextVariable[];
  /** The names of query parameters besides which there may be none. */
  known: ReadonlySet<string> | undefined;
  body: string | undefined;
  bodyReader: InputReader;
  /** Tells what rules say of an input that is refused anyway. */
  addBroken: (input: unknown, problems: Problems) => void;
}

function readVariables(
  sent: Sent,
  { params, query, known, body, bodyReader, addBroken }: Readers,
): Record<string, unknown> {
  const problems = new Problems();
  const variables: Record<string, unknown> = {};
  for (const [at, { variable, sentAs, read }] of params.entries()) {
    variables[variable] = read(sent.params[at] ?? '', sentAs, problems);
  }
  if (known && sent.query.size > 0) {
    for (const name of new Set(sent.query.keys())) {
      if (!known.has(name)) problems.malformed(name, unknownParameter([...known]));
    }
  }
  for (const { variable, sentAs, required, read } of query) {
    const [text, ...more] = sent.query.size === 0 ? none : sent.query.getAll(sentAs);
    if (more.length > 0) problems.malformed(sentAs, 'must be given once');
    else if (text !== undefined) variables[variable] = read(text, sentAs, problems);
    else if (required) problems.malformed(sentAs, 'is required');
  }
  const input =
    'form' in sent.body
      ? bodyReader.form(sent.body.form, problems)
      : bodyReader.json(sent.body.json, '', problems);
  if (body !== undefined) variables[body] = input;
  if (!problems.isEmpty) addBroken(input, problems);
  const refusal = problems.refusal();
  if (refusal) throw refusal;
  return variables;
}

const none: readonly string[] = [];

function unknownParameter(known: readonly string[]): string {
  return known.length === 0
    ? 'is not a known parameter; this route has none'
    : `is not a known parameter; there are ${known.join(', ')}`;
}

function bodyTypeOf({ body }: Route, operation: Operation): GraphQLInputObjectType | undefined {
  if (body === undefined) return undefined;
  const variable = operation.variables.get(body);
  const type = variable && getNullableType(variable.type);
  if (!isInputObjectType(type)) throw new Error(`the body's variable $${body} is not of an input type`);
  return type;
}

function textVariable(operation: Operation, sentAs: string, variable: string): TextVariable {
  const declared = operation.variables.get(variable);
  if (!declared) throw new Error(`the document has no variable $${variable}`);
  return { sentAs, variable, required: declared.required, read: textReader(declared.type) };
}

const readLimit: ReadText = (text, path, problems) => {
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= longestPage) return limit;
  return problems.malformed(path, `must be an integer from 1 to ${longestPage}`);
};

/** Of a list that is cut here; its cursors are places in it. */
const cutting: readonly TextVariable[] = [
  { sentAs: 'limit', variable: 'first', required: false, read: readLimit },
  {
    sentAs: 'cursor',
    variable: 'after',
    required: false,
    read: (text, path, problems) =>
      /^\d{1,9}$/.test(text) ? text : problems.malformed(path, 'is not one of ours'),
  },
];

function pagingVariables(operation: Operation): TextVariable[] {
  return paging.map(([sentAs, variable]) => ({
    ...textVariable(operation, sentAs, variable),
    ...(sentAs === 'limit' ? { read: readLimit } : {}),
  }));
}

function checkVariables({ body }: Route, operation: Operation, texts: readonly TextVariable[]): void {
  const filled = new Set([...texts.map(({ variable }) => variable), ...(body === undefined ? [] : [body])]);
  const left = [...operation.variables.keys()].filter((name) => !filled.has(name));
  if (left.length > 0) throw new Error(`nothing fills $${left.join(', $')}`);
}

function checkSelection(route: Route, { selection }: Operation): void {
  const reply = selection.get('reply')?.children;
  const missing = (route.omitNull ?? []).filter((path) => !selects(bodyOf(route, reply), path));
  for (const alias of Object.keys(route.headers ?? {})) {
    if (!selection.has(alias) && !selects(reply, alias)) missing.push(alias);
  }
  if (route.reply.verb === 'page') {
    const needed = ['nodes', 'pageInfo.endCursor', 'pageInfo.hasNextPage', 'totalCount'];
    missing.push(...needed.filter((path) => !selects(reply, path)));
  }
  if (missing.length > 0) throw new Error(`the document does not select ${missing.join(', ')}`);
}

function bodyOf(route: Route, reply: Selection | undefined): Selection | undefined {
  return route.reply.verb === 'page' ? reply?.get('nodes')?.children : reply;
}

function renderReply(route: Route, { selection }: Operation): Render {
  const body = route.reply.verb === 'page' ? 'reply.nodes' : 'reply';
  const steps = [
    renderer(selection),
    nullDropper((route.omitNull ?? []).map((path) => `${body}.${path}`)),
  ].filter((step) => step !== undefined);
  return (data) => steps.reduce((value, step) => step(value), data);
}
