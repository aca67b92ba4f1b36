import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { routes } from '#rest-compat/routes.js';

import { RichScene } from '../security/rich-scene.js';
import type { Call } from '../support/http.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';

const path = '/api/openapi.json';

type Described = Record<
  string,
  { description: string; responses: Record<string, unknown>; parameters: { name: string }[] }
>;

let panel: TestPanel;
let description: { openapi: string; paths: Record<string, Described> };
beforeAll(async () => {
  panel = await startTestPanel();
  ({ body: description } = await panel.world.rest<typeof description>(path));
});
afterAll(async () => panel.stop());

const describedAs = (template: string) => template.replaceAll(/:(\w+)/g, '{$1}');

test('the routes are described as OpenAPI 3.1 has it, all of them and nothing else', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(description))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const described = Object.entries(description.paths).flatMap(([template, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${template}`),
  );
  expect(described.sort()).toEqual(routes.map((row) => `${row.method} ${describedAs(row.path)}`).sort());
  for (const { method, path: template, query = [], reply, params } of routes) {
    const { responses, parameters, ...told } =
      description.paths[describedAs(template)]![method.toLowerCase()]!;
    expect([template, told.description]).toEqual([template, expect.any(String)]);
    expect(Object.keys(responses)).toContain(String(reply.status));
    const paging = ['page', 'list'].includes(reply.verb) ? ['limit', 'cursor'] : [];
    const names = parameters.map(({ name }) => name).filter((name) => name !== 'Idempotency-Key');
    expect([template, names]).toEqual([template, [...params, ...query, ...paging]]);
  }
});

test('the description is anyone’s, and is asked for again by its tag', async () => {
  const first = await fetch(panel.panel.url + path);
  expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
  const tag = first.headers.get('etag')!;
  const again = await fetch(panel.panel.url + path, { headers: { 'if-none-match': tag } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  const posted = await fetch(panel.panel.url + path, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
});

test('answers are as they are described, of a tenant that has one of everything, with no field more', async () => {
  const { tenant, node } = await RichScene.rich(panel);
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...closed(description) });
  const faults: unknown[] = [];
  const judge = async (template: string, { at = template, ...options }: Call & { at?: string } = {}) => {
    const method = options.method ?? (options.body === undefined ? 'GET' : 'POST');
    const { status, body } = await tenant.rest(at, options);
    const place = [template, method.toLowerCase(), 'responses', String(status)].map(pointer).join('/');
    const described = description.paths[template]![method.toLowerCase()]!.responses[status] as object;
    const schema = '$ref' in described ? (described.$ref as string) : `#/paths/${place}`;
    const validate = ajv.compile({ $ref: `api${schema}/content/application~1json/schema` });
    if (!validate(body)) faults.push({ template, status, body, errors: validate.errors });
    return { status, body };
  };
  /** The ids by which single things are read: of the first of the list that they stand in. */
  const ids: Record<string, string> = {
    '/api/fleet/metrics': node.id,
    '/api/fleet/instances/{id}/metrics/history': node.id,
  };
  const refused: Record<string, number> = {};
  for (const template of routes
    .filter(({ method }) => method === 'GET')
    .map((row) => describedAs(row.path))) {
    const id = ids[template] ?? ids[template.replace(/\/\{\w+\}$/, '')] ?? 'none';
    const at = template.replace(/\{\w+\}/, id);
    const { status, body } = await judge(template, { at, ...(await asWho(template, node.credential)) });
    if (status !== 200) refused[template] = status;
    if (Array.isArray(body) && typeof body[0]?.id === 'string') ids[template] = body[0].id;
  }
  const body = { name: 'one' };
  expect((await judge('/api/fleet/tokens', { body })).status).toBe(201);
  expect((await judge('/api/fleet/tokens', { body: { nam: 'two' } })).status).toBe(422);
  expect(faults).toEqual([]);
  // Without its parameters, and with a token that is none of OAuth's.
  expect(refused).toEqual({ '/api/oauth/authorize/preflight': 400, '/api/oauth/userinfo': 401 });
  expect(Object.keys(ids)).toContain('/api/governance/canary');
});

/** Of whom a route is: of the panel's administrators, of nodes, or of the tenant's owner. */
async function asWho(template: string, credential: string): Promise<Call> {
  if (template.startsWith('/api/cc/')) return { token: await panel.world.administrator() };
  return template.startsWith('/api/agent/') ? { token: credential } : {};
}

const pointer = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

/** The same without room for fields that are not described. */
function closed<T>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) =>
    isObjectSchema(value) ? { additionalProperties: false, ...value } : value,
  ) as T;
}

function isObjectSchema(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'properties' in value && 'type' in value;
}
