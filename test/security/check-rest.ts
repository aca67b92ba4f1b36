import { readFileSync } from 'node:fs';

import { getOperationAST, isInputObjectType, parse, typeFromAST, type GraphQLSchema } from 'graphql';

import { assetPath } from '#platform/package-root.js';
import type { Route } from '#rest-compat/route.js';
import { snakeCase } from '#rest-compat/text.js';

import { call } from '../support/http.js';
import { inputFor, type Source } from './arguments.js';
import type { Parties } from './check-isolation.js';
import { inTurns, type Finding } from './findings.js';
import { leaksBeyond } from './markers.js';
import { changesOf, settledRowsOf } from './rows.js';

/** Calls every REST route from another tenant with the victim's ids in path, query and body. */
export async function restFindings(
  url: string,
  schema: GraphQLSchema,
  routes: readonly Route[],
  { victim, stranger }: Parties,
): Promise<Finding[]> {
  const markers = victim.markers([stranger]);
  const before = await settledRowsOf(victim.panel, victim.tenant.id);
  const all: readonly Called[] = [...routes, ...unlisted];
  const attempts = all.flatMap((route) =>
    (route.params.length === 0 ? [undefined] : idsFor(route, victim)).map((id) => ({ route, id })),
  );
  const found = await inTurns(attempts, async ({ route, id }) => {
    const path = route.path.replaceAll(/:\w+/g, id ?? '') + queryOf(route, victim);
    const body = bodyOf(route, schema, victim);
    const caller = route.path.startsWith('/api/agent/') ? 'node' : 'owner';
    const token = await stranger.token(caller, undefined, [], route.method !== 'GET' && id === undefined);
    const answer = await call(url + path, { method: route.method, token, ...(body ? { body } : {}) });
    const finding = (problem: string): Finding => ({ where: `${route.method} ${path}`, caller, problem });
    const text = `${answer.text}\n${JSON.stringify([...answer.headers])}`;
    const leaks = leaksBeyond([path, body], text, markers).map((marker) => finding(`showed ${marker}`));
    if (answer.status >= 500) return [...leaks, finding(`ended with ${answer.status}`)];
    const { refusal = 404 } = route;
    if (id !== undefined && answer.status !== refusal)
      return [...leaks, finding(`was to be ${refusal}, but was ${answer.status}`)];
    return leaks;
  });
  const changes = changesOf(before, await settledRowsOf(victim.panel, victim.tenant.id));
  return [
    ...found,
    ...changes.map((problem) => ({ where: "the victim's rows", caller: 'stranger', problem })),
  ];
}

interface Called extends Pick<Route, 'method' | 'path' | 'params' | 'query' | 'body' | 'document'> {
  /** The status for who asks for another tenant's, unless it is 404. */
  refusal?: number;
}

/** Routes with things of tenants that are in no table, as their answers are no JSON. */
const unlisted: readonly Called[] = [
  { method: 'GET', path: '/audit/export', params: [], document: '' },
  { method: 'GET', path: '/msp/exports/:id', params: ['id'], document: '' },
  { method: 'GET', path: '/account/erased/:id', params: ['id'], document: '', refusal: 403 },
  { method: 'GET', path: '/account/exports/:id', params: ['id'], document: '' },
];

/** Those that the area of its operation keeps anywhere: what is in none of its tables it can not come upon. */
function idsFor({ document }: Pick<Route, 'document'>, victim: Parties['victim']): readonly string[] {
  const [area = ''] = document.split('/');
  return area === '' ? victim.ids : victim.idsIn(area);
}

/** What a query parameter of that name is; the rest are left out. */
const parameters: Readonly<Record<string, (victim: Parties['victim']) => string>> = {
  q: (victim) => victim.word,
  instance_id: (victim) => victim.node.id,
  client_id: (victim) => victim.node.id,
  redirect_uri: (victim) => String(victim.values['AuthorizationRequestInput.redirectUri']),
  code_challenge: () => 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
};

function queryOf({ query = [] }: Pick<Route, 'query'>, victim: Parties['victim']): string {
  const given = query.flatMap((name) =>
    parameters[name] ? [[name, parameters[name](victim)] as const] : [],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given)).toString()}`;
}

/** The generated input of the route's operation, in the words of REST. */
function bodyOf(
  { body, document }: Pick<Route, 'body' | 'document'>,
  schema: GraphQLSchema,
  source: Source,
): unknown {
  if (body === undefined) return undefined;
  const text = readFileSync(assetPath('rest-compat', 'operations', `${document}.graphql`), 'utf8');
  const variables = getOperationAST(parse(text))?.variableDefinitions ?? [];
  const variable = variables.find((definition) => definition.variable.name.value === body);
  const named = variable && variable.type.kind === 'NonNullType' ? variable.type.type : variable?.type;
  const type = named && named.kind === 'NamedType' ? typeFromAST(schema, named) : undefined;
  if (!isInputObjectType(type)) throw new Error(`${document} takes no body called ${body}`);
  return inSnakeCase(inputFor(type, source));
}

function inSnakeCase(value: unknown): unknown {
  if (typeof value === 'string' && /^[A-Z_]{2,}$/.test(value)) return value.toLowerCase();
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [snakeCase(name), inSnakeCase(inner)]),
  );
}
