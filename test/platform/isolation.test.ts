import { readFileSync } from 'node:fs';

import {
  buildSchema,
  getNamedType,
  graphql,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLNamedType,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { areaNames, areaSettings } from '#panel/areas.js';
import { createSubgraphs, type Subgraphs } from '#panel/subgraphs.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { routes } from '#rest-compat/routes.js';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';

let panel: TestPanel;
let victim: Tenant;
let stranger: Tenant;
let node: Node;
/** Not secret by itself: tags are words that anybody may use. */
const victimTag = 'kept-apart';
let victimTokenId: string;
let subgraphs: Subgraphs;

beforeAll(async () => {
  panel = await startTestPanel();
  victim = await panel.world.tenant('Victim Ltd');
  stranger = await panel.world.tenant('Stranger Ltd');
  // A plan with everything, so that it is never the plan that keeps it out.
  await stranger.grantPlan('ENTERPRISE');
  node = await victim.node('victim-node-01');
  // By the name that the stranger asks for, whose own nodes have none.
  dataOf(
    await victim.graphql('mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id: node.id, tags: [victimTag] },
    }),
  );
  await node.beat();
  const [token] = (await victim.rest<[{ id: string }]>('/api/fleet/tokens')).body;
  victimTokenId = token.id;
  subgraphs = await createSubgraphs({
    names: areaNames,
    databaseUrls: { url: panel.database.url },
    keyring: new Keyring([Buffer.alloc(32, 7)]),
    clock: panel.clock,
    logger: silentLogger,
    publicUrl: 'http://panel.test',
    nodeName: 'asked-directly',
    settings: areaSettings({}),
  });
  // No more of it than keys: the panel itself does the work in the background.
  await subgraphs.running.get('identity')?.start?.();
});
afterAll(async () => {
  await subgraphs.stop();
  await panel.stop();
});

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
// What goes deeper is more than one request may ask.
const depth = 3;

/** Ids of the victim that a stranger might have learned. */
const knownIds = () => [victim.id, victim.user.id, node.id, victimTokenId];
/** What only the victim's rows say. */
const secrets = () => [...knownIds(), victim.account.email, 'Victim Ltd', 'victim-node-01'];

function expectNothingOfTheVictim(text: string, where: string): void {
  const leaked = secrets().filter((secret) => text.includes(secret));
  expect([where, leaked]).toEqual([where, []]);
}

/** Everything that can be asked of a type without another argument. */
function selectionOf(type: GraphQLNamedType, left: number): string {
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).filter(
    ({ args }) => !args.some(({ type: t }) => isNonNullType(t)),
  );
  const parts = fields.flatMap((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return [field.name];
    const selection = left > 0 ? selectionOf(inner, left - 1) : '';
    return selection === '' ? [] : [`${field.name} ${selection}`];
  });
  return parts.length === 0 ? '' : `{ ${parts.join(' ')} }`;
}

function literalFor({ type }: GraphQLArgument, id: string): string {
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]!.name;
  if (isInputObjectType(named)) return '{}';
  return { Int: '10', Float: '10', Boolean: 'true' }[named.name] ?? JSON.stringify(id);
}

/** Queries that answer something else than their rows to an ordinary user. */
const otherwise: Record<string, string[]> = {
  authorizationPreflight: ['BAD_REQUEST', 'NOT_FOUND', 'VALIDATION_FAILED'],
  userInfo: ['UNAUTHENTICATED'],
  // It has no account with the provider.
  serverForecast: ['NOT_FOUND', 'CONFLICT', 'VALIDATION_FAILED'],
  // The victim alone has such a tag.
  previewCommand: ['VALIDATION_FAILED'],
};

/** Queries whose arguments mean more than their types say. */
const argumentsOf: Record<string, (id: string) => string> = {
  previewPlanChange: () => '(input: { plan: PRO })',
  validateLicence: (id) => `(input: { key: ${JSON.stringify(id)}, instanceId: ${JSON.stringify(id)} })`,
  admission: (id) => `(input: { action: "command.restart", instanceIds: ["${id}"], isChange: true })`,
  previewPolicy: () =>
    '(input: { rule: { condition: "backup.encryption", operator: "equals", value: true }, appliesTo: "all_instances" })',
  serverForecast: () => '(provider: "hetzner", region: "fsn1", size: "cx22")',
  // An id among `instanceIds` is named in the refusal.
  previewCommand: () => `(input: { command: RESTART, tags: ["${victimTag}"] })`,
  metricsHistory: (id) => `(instanceId: "${id}", range: "24h")`,
  authorizationPreflight: (id) =>
    `(input: { clientId: "${id}", redirectUri: "https://victim-node-01.example.com/callback", state: "s", codeChallenge: "${'c'.repeat(43)}" })`,
};

const queries = Object.values(schema.getQueryType()!.getFields());

test.concurrent.for(queries.map((field) => [field.name, field] as const))(
  'the query %s shows a stranger nothing, whatever id is asked for',
  async ([name, field]) => {
    const needed = field.args.filter(({ type }) => isNonNullType(type));
    for (const id of needed.length === 0 ? [''] : knownIds()) {
      const args = needed.map((arg) => `${arg.name}: ${literalFor(arg, id)}`);
      const written = argumentsOf[name]?.(id) ?? (args.length === 0 ? '' : `(${args.join(', ')})`);
      const query = `{ ${name}${written} ${selectionOf(getNamedType(field.type), depth)} }`;
      const answer = await stranger.graphql(query);
      expectNothingOfTheVictim(JSON.stringify(answer), query);
      // What asks for an id must refuse this one; the rest answers about the stranger itself.
      const asksForId = needed.some(({ type }) => getNamedType(type).name === 'ID');
      const codes = asksForId
        ? ['NOT_FOUND', 'FORBIDDEN']
        : ['FORBIDDEN', ...(otherwise[name] ?? [undefined])];
      const code = answer.errors?.[0]?.extensions['code'] as string | undefined;
      expect([query, code, codes.includes(code)]).toEqual([query, code, true]);
    }
  },
);

test.concurrent('the victim is shown all of it by the same queries', async () => {
  const answer = await victim.graphql(
    `{ me { id email tenant { id name } } instances { nodes { id name } } enrollmentTokens { nodes { id } }
       previewCommand${argumentsOf['previewCommand']!('')} { instances { nodes { instanceId } } } }`,
  );
  const data = dataOf(answer);
  expect(data).toMatchObject({ previewCommand: { instances: { nodes: [{ instanceId: node.id }] } } });
  const text = JSON.stringify(data);
  expect(secrets().filter((secret) => !text.includes(secret))).toEqual([]);
});

const readable = routes.filter(({ method }) => method === 'GET');

test.concurrent.for(readable.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s shows a stranger nothing, whatever id is asked for',
  async ([, route]) => {
    for (const id of route.params.length === 0 ? [''] : knownIds()) {
      const path = route.path.replaceAll(/:\w+/g, id);
      const answer = await stranger.rest(path);
      expectNothingOfTheVictim(answer.text, path);
      expect([path, answer.status]).toEqual([
        path,
        expect.toSatisfy((status: number) => (id === '' ? status < 500 : status === 404)),
      ]);
    }
  },
);

test.concurrent.for(
  routes
    .filter(({ method, params }) => method !== 'GET' && params.length > 0)
    .map((route) => [`${route.method} ${route.path}`, route] as const),
)('%s finds a stranger nothing to change', async ([, route]) => {
  for (const id of knownIds()) {
    const path = route.path.replaceAll(/:\w+/g, id);
    const answer = await stranger.rest(path, { method: route.method });
    expectNothingOfTheVictim(answer.text, path);
    // What takes a body is refused for lacking one first.
    expect([404, 422]).toContain(answer.status);
  }
});

test.concurrent('the search finds nothing of another tenant', async () => {
  expect((await stranger.rest('/api/fleet/instances?q=victim')).body).toEqual([]);
  expect((await victim.rest<unknown[]>('/api/fleet/instances?q=victim')).body).toHaveLength(1);
});

test.concurrent("a cursor of another tenant's list opens nothing", async () => {
  const cursor = Buffer.from(node.id).toString('base64url');
  const before = Buffer.from('inst_00000000000000000000000000').toString('base64url');
  for (const after of [cursor, before]) {
    const answer = await stranger.graphql(
      'query($after: String) { instances(after: $after) { nodes { id } totalCount } }',
      {
        after,
      },
    );
    expect(dataOf(answer)).toEqual({ instances: { nodes: [], totalCount: 0 } });
  }
});

/** Asks a subgraph directly, as the gateway does, with the token of whoever asks. */
async function entities(subgraphName: string, token: string, type: string, id: string, fields: string) {
  const subgraph = subgraphs.all.find(({ name }) => name === subgraphName)!;
  const contextValue = await subgraph.createContext({
    requestId: 'test',
    authorization: `Bearer ${token}`,
    clientAddress: '127.0.0.1',
  });
  return graphql({
    schema: subgraph.schema,
    source: `query($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type} { ${fields} } } }`,
    variableValues: { representations: [{ __typename: type, id }] },
    contextValue,
  });
}

test.concurrent.for([
  ['identity', 'Tenant', () => victim.id, 'id name plan'],
  ['identity', 'User', () => victim.user.id, 'id email name tenant { id }'],
  ['fleet', 'Instance', () => node.id, 'id name hostname metrics { cpuPercent } tenant { id }'],
  ['fleet', 'Tenant', () => victim.id, 'id instanceCounts { total }'],
] as const)('%s resolves a %s for its own tenant and for nobody else', async ([name, type, idOf, fields]) => {
  const own = await entities(name, victim.token, type, idOf(), fields);
  expect(own).toEqual({ data: { _entities: [expect.objectContaining({ id: idOf() })] } });
  const foreign = await entities(name, stranger.token, type, idOf(), fields);
  expect(foreign).toEqual({ data: { _entities: [null] } });
});

test.concurrent('entities are not for clients', async () => {
  const answer = await stranger.graphql(
    `{ _entities(representations: [{ __typename: "Instance", id: "${node.id}" }]) { __typename } }`,
  );
  expect(refusal(answer)).toEqual({ code: 'BAD_REQUEST' });
});

test.concurrent('a node sees of its tenant what it is allowed to, and of others nothing', async () => {
  const other = await stranger.node('stranger-node-01');
  const answer = await panel.world.graphql('{ tenant { id name } }', {}, other.credential);
  expect(dataOf(answer)).toEqual({ tenant: { id: stranger.id, name: 'Stranger Ltd' } });
  const fleet = await panel.world.graphql('{ instances { nodes { id } } }', {}, other.credential);
  expect(refusal(fleet)).toMatchObject({ code: 'FORBIDDEN' });
});
