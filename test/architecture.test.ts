import { basename } from 'node:path';

import { describe, expect, test } from 'vitest';

import {
  areaOf,
  codeOf,
  edgesOf,
  readSources,
  targetOf,
  type Edge,
  type Source,
} from './support/source-graph.js';

/**
 * Areas an area may import besides itself and packages; what is absent is forbidden. `subgraphs/*` is every subgraph.
 * test and bench may import anything, and are not walked.
 */
const mayImport: Record<string, readonly string[]> = {
  platform: [],
  schema: [],
  'subgraphs/*': ['platform', 'schema'],
  gateway: ['platform'],
  'rest-compat': ['platform'],
  agent: [],
  sandbox: ['platform'],
  web: [],
  panel: ['platform', 'schema', 'subgraphs/*', 'gateway', 'rest-compat', 'agent', 'sandbox'],
};

/** What an area may import of another for use at run time, where types alone are free. */
const valuesOf: Record<string, readonly string[]> = {
  // It receives `execute`. The others tell where its documents are, who calls, and what clients' data may be.
  'rest-compat': [
    '#platform/errors.js',
    '#platform/package-root.js',
    '#platform/caller.js',
    '#platform/client-data.js',
    '#platform/json-shape.js',
    '#platform/mended-text.js',
  ],
  // A stand-in for somebody else's server: it shares the panel's clock and log by their types, and the look of its pages.
  sandbox: ['#platform/html.js'],
};

/** Packages that belong to one area, whose types others may share where the second table says so. */
const belongsTo: Record<string, string> = {
  stripe: 'subgraphs/billing',
  '@kubernetes/client-node': 'subgraphs/hosting',
  '@apollo/gateway': 'gateway',
  '@apollo/query-planner': 'gateway',
};

/** Areas that speak a package's language without using it. */
const typesOf: Record<string, readonly string[]> = { sandbox: ['stripe'] };

/** Files that touch an entity manager without the name of one that may, each with why. */
const entityManagers: Record<string, string> = {
  'subgraphs/identity/email/mail-tokens.ts':
    'one-time tokens, in the transaction of the service that uses them',
  'subgraphs/identity/oauth/page/authorize-page.ts': 'finds who is signed in by the cookie of the page',
  'subgraphs/identity/session/credentials.ts': 'the trail of refused sign-ins, which outlives the refusal',
  'subgraphs/identity/session/session-tokens.ts':
    'tokens, in the transaction of the service that lets the user in',
  'subgraphs/identity/throttle/throttle.ts': 'counts of attempts, kept before any tenant is known',
  'subgraphs/identity/totp/totp-codes.ts': 'one-time codes, used up even when what follows fails',
};

const sources = readSources([
  'platform',
  'schema',
  'subgraphs',
  'gateway',
  'rest-compat',
  'agent',
  'sandbox',
  'web',
  'panel',
]);
const general = (area: string) => (area.startsWith('subgraphs/') ? 'subgraphs/*' : area);

function faultOf(edge: Edge): string | undefined {
  const { from, specifier } = edge;
  const area = areaOf(from);
  if (specifier === undefined) return 'imports something computed';
  const target = targetOf(edge);
  if ('package' in target) {
    const owner = belongsTo[target.package];
    const isSpoken = edge.isType && typesOf[area]?.includes(target.package);
    return owner === undefined || owner === area || isSpoken
      ? undefined
      : `imports ${target.package}, which belongs to ${owner}`;
  }
  const wanted = areaOf(target.path);
  if (specifier.startsWith('.')) {
    return wanted === area ? undefined : `leaves ${area} by the relative import ${specifier}`;
  }
  if (wanted === area) return `imports its own area by the alias ${specifier}`;
  const allowed = mayImport[general(area)];
  if (!allowed) return 'is in an area that the table does not know';
  if (!allowed.includes(general(wanted))) return `imports ${specifier}`;
  if (wanted === 'schema' && !edge.isType) return `imports ${specifier} for more than types`;
  const values = valuesOf[area];
  if (values && !edge.isType && !values.includes(specifier))
    return `imports ${specifier} for more than types`;
  return undefined;
}

/** Everything that breaks a rule of imports, in words. */
function importFaults(all: readonly Source[]): string[] {
  return all.flatMap(edgesOf).flatMap((edge) => {
    const fault = faultOf(edge) ?? roleFault(edge);
    return fault === undefined ? [] : [`${edge.from} ${fault}`];
  });
}

/** Inside a subgraph data flows one way: resolver, service, entity. Only jobs see all tenants. */
function roleFault(edge: Edge): string | undefined {
  const { from, specifier = '' } = edge;
  if (from.endsWith('.entity.ts') && /\.(service|resolver)\.js$/.test(specifier))
    return `imports ${specifier}`;
  if (from.endsWith('.service.ts') && specifier.endsWith('.resolver.js')) return `imports ${specifier}`;
  if (specifier.endsWith('/system-em.js') && !from.endsWith('.job.ts')) return `imports ${specifier}`;
  return undefined;
}

/** Files whose code matches, less those that have a reason; a reason that is no longer needed is a fault too. */
function filesWith(
  pattern: RegExp,
  isAllowed: (file: string) => boolean,
  reasons: Record<string, string>,
): string[] {
  const found = sources
    .filter((source) => !isAllowed(source.file) && pattern.test(codeOf(source)))
    .map(({ file }) => file);
  const unneeded = Object.keys(reasons).filter((file) => !found.includes(file));
  return [
    ...found.filter((file) => !(file in reasons)),
    ...unneeded.map((file) => `${file} needs no exception any more`),
  ];
}

test('the walk saw the whole house', () => {
  const areas = new Set(sources.map(({ file }) => areaOf(file)));
  expect([...areas]).toEqual(
    expect.arrayContaining([
      'platform',
      'schema',
      'subgraphs/identity',
      'subgraphs/fleet',
      'gateway',
      'rest-compat',
      'agent',
      'sandbox',
      'panel',
    ]),
  );
  expect(sources.length).toBeGreaterThan(120);
  const edges = sources.flatMap(edgesOf).filter((edge) => 'path' in targetOf(edge));
  expect(edges.length).toBeGreaterThan(300);
  const across = edges.filter(({ specifier }) => specifier?.startsWith('#'));
  expect(across.length).toBeGreaterThan(150);
  expect(across.filter(({ isType }) => isType).length).toBeGreaterThan(50);
});

test('an area imports only what the table allows it', () => {
  expect(importFaults(sources)).toEqual([]);
});

test('only env.ts files read the environment', () => {
  const faults = filesWith(/\bprocess\s*(\.|\?\.|\[\s*['"])\s*env\b/, (file) => basename(file) === 'env.ts', {
    'panel/commands/start.ts': 'hands the whole environment to panelOptions',
    'panel/commands/check-settings.ts': 'hands the whole environment on',
    'panel/commands/demo.ts': 'hands the whole environment on, with the defaults of the demo',
    'panel/commands/gateway.ts': 'hands the whole environment on',
    'panel/commands/subgraph.ts': 'hands the whole environment on',
    'panel/split-env.ts': "the env.ts of split mode's processes",
    'panel/backup/client-programs.ts': "gives PATH and the like on to PostgreSQL's own programs",
    'platform/database/embedded/account.ts': "gives PATH on to PostgreSQL's own programs",
  });
  expect(faults).toEqual([]);
});

test('only services, loaders and jobs touch an entity manager', () => {
  const isAllowed = (file: string) =>
    !file.startsWith('subgraphs/') ||
    /\.(service|loader|job)\.ts$/.test(file) ||
    basename(file) === 'seed.ts';
  expect(filesWith(/\.em\b|\bem\s*\.|\bforTenant\(|\banonymous\(/, isAllowed, entityManagers)).toEqual([]);
});

test('the role that sees all tenants is taken on in one place', () => {
  const isAllowed = (file: string) => file === 'platform/database/database.ts';
  const faults = filesWith(
    /\b(forJobs|readerForJobs|questionsForJobs)\(|\bareaRoles\([^)]*\)\.jobs/,
    isAllowed,
    {
      'platform/database/system-em.ts': 'the place; its importers are checked above',
      'platform/outbox/tail.ts': "reads every tenant's events, to hand each on to its own subscribers",
      'platform/jobs/enqueue.ts': 'writes jobs of one tenant, as its last act',
      'platform/jobs/runner.ts': "pg-boss's own statements",
      'platform/jobs/schema.ts': 'grants the queues',
      'platform/outbox/event-stream.ts':
        'looks whether an event of a cursor is there, which may be any tenant’s',
    },
  );
  expect(faults).toEqual([]);
});

test("nobody takes a query builder past the session's context", () => {
  // Outside a transaction it knows no tenant. One that is made inside one is listed here with where.
  const faults = filesWith(/\bgetKysely\(/, () => false, {
    'platform/jobs/role.ts': 'throws unless it is in a transaction',
  });
  expect(faults).toEqual([]);
});

describe('the check itself', () => {
  const seeded = (file: string, text: string) => importFaults([{ file, text }]);
  const service = 'subgraphs/fleet/instance/instance.service.ts';

  test.for([
    ['a value', `import { User } from '#subgraphs/identity/user/user.entity.js';`],
    ['a type', `import type { User } from '#subgraphs/identity/user/user.entity.js';`],
    ['a type among values', `import { a, type B } from '#subgraphs/identity/x.js';`],
    ['a re-export', `export { User } from '#subgraphs/identity/user/user.entity.js';`],
    ['a re-export of all', `export * from '#subgraphs/identity/user/user.entity.js';`],
    ['a re-exported type', `export type { User } from '#subgraphs/identity/user/user.entity.js';`],
    ['an import for its effects', `import '#subgraphs/identity/user/user.entity.js';`],
    ['a dynamic import', `const later = await import('#subgraphs/identity/user/user.entity.js');`],
    ['an import in a type', `type User = import('#subgraphs/identity/user/user.entity.js').User;`],
    ['a relative path', `import { User } from '../../identity/user/user.entity.js';`],
    ['a require', `const user = require('#subgraphs/identity/user/user.entity.js');`],
  ] as const)('catches %s of another subgraph', ([, text]) => {
    expect(seeded(service, text)).toEqual([expect.stringMatching(/^subgraphs\/fleet\/.* (imports|leaves) /)]);
  });

  test.for([
    ['platform/x.ts', `import type { A } from '#schema/events.js';`],
    ['gateway/x.ts', `import { routes } from '#rest-compat/routes.js';`],
    ['gateway/x.ts', `import type { A } from '#schema/events.js';`],
    ['rest-compat/x.ts', `import { systemClock } from '#platform/clock.js';`],
    ['agent/x.ts', `import type { Clock } from '#platform/clock.js';`],
    ['sandbox/stripe/x.ts', `import Stripe from 'stripe';`],
    ['sandbox/stripe/x.ts', `import { ApiError } from '#platform/errors.js';`],
    ['subgraphs/billing/x.ts', `import { startStripeSandbox } from '#sandbox/stripe/start.js';`],
    ['subgraphs/fleet/x.ts', `import type Stripe from 'stripe';`],
    ['subgraphs/fleet/x.ts', `import { topics } from '#schema/events.js';`],
    ['subgraphs/fleet/x.ts', `import { ApolloGateway } from '@apollo/gateway';`],
    ['subgraphs/fleet/x.ts', `import Stripe from 'stripe';`],
    ['subgraphs/fleet/x.ts', `import { systemEm } from '#platform/database/system-em.js';`],
    ['subgraphs/fleet/x.entity.ts', `import type { X } from './x.service.js';`],
    ['subgraphs/fleet/x.service.ts', `import { X } from './x.resolver.js';`],
    ['panel/x.ts', `const area = await import(name);`],
    ['panel/x.ts', `import { world } from '#test/support/world.js';`],
  ] as const)('catches in %s: %s', ([file, text]) => {
    expect(seeded(file, text)).toHaveLength(1);
  });

  test.for([
    [
      'subgraphs/fleet/x.ts',
      `import { ApiError } from '#platform/errors.js'; import type { A } from '#schema/events.js';`,
    ],
    ['subgraphs/fleet/x.job.ts', `import { systemEm } from '#platform/database/system-em.js';`],
    ['subgraphs/fleet/a/x.resolver.ts', `import type { X } from '../b/x.service.js';`],
    ['subgraphs/billing/x.ts', `import Stripe from 'stripe';`],
    ['sandbox/stripe/x.ts', `import type Stripe from 'stripe'; import type { C } from '#platform/clock.js';`],
    ['panel/x.ts', `import { startStripeSandbox } from '#sandbox/stripe/start.js';`],
    [
      'rest-compat/x.ts',
      `import { ApiError } from '#platform/errors.js'; import type { L } from '#platform/logger.js';`,
    ],
    ['panel/x.ts', `import { a } from '#subgraphs/fleet/x.js'; import { b } from '#gateway/b.js';`],
    ['agent/x.ts', `import { a } from './y.js'; import pino from 'pino'; // import '#platform/z.js'`],
  ] as const)('lets pass in %s: %s', ([file, text]) => {
    expect(seeded(file, text)).toEqual([]);
  });
});
