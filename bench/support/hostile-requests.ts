/** A request made to cost more than it should. `size` is about its bytes; no two with different salts are the same. */
export interface HostileRequest {
  name: string;
  /** Whose token comes along: nobody's, a user's, a node's. */
  as: 'nobody' | 'user' | 'node';
  path: string;
  method: 'GET' | 'POST';
  make: (size: number, salt: string) => string;
}

type Variables = (size: number, salt: string) => unknown;

const times = <T>(count: number, part: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => part(n));
const joined = (count: number, part: (n: number) => string, separator = ' '): string =>
  times(count, part).join(separator);

function nest(levels: number, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

/** JSON nested so deep that only text can say it. */
const deepText = (size: number): string => `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`;

const values: Readonly<Record<string, Variables>> = {
  'a wide object': (size, salt) => Object.fromEntries(times(size / 16, (n) => [`${salt}${n}`, n])),
  'many small objects': (size) => ({ a: times(size / 9, (n) => ({ b: n % 10 })) }),
  'objects 60 deep, side by side': (size) => ({ a: times(size / 330, () => nest(55)) }),
  'a long list': (size) => ({ a: times(size / 2, () => 1) }),
  'one long string': (size) => ({ a: 'x'.repeat(size) }),
  'long strings of Unicode': (size) => ({ a: times(size / 4_000, () => '\u{1F600}'.repeat(1_000)) }),
  'a lone surrogate at the end': (size) => ({ a: 'x'.repeat(size), b: '\ud800' }),
  'long names': (size, salt) =>
    Object.fromEntries(times(size / 1_000, (n) => [`${salt}${n}`.padEnd(980, 'k'), 1])),
};

const sendCommand = 'mutation($input: SendCommandInput!) { sendCommand(input: $input) { id } }';
const heartbeat = 'mutation($input: ReportHeartbeatInput!) { reportHeartbeat(input: $input) { serverTime } }';
const beat = {
  cpuPercent: 1,
  memoryPercent: 1,
  diskPercent: 1,
  appsCount: 1,
  cpuCores: 1,
  memoryGb: 1,
  version: '1',
};
const restBeat = {
  cpu_percent: 1,
  memory_percent: 1,
  disk_percent: 1,
  apps_count: 1,
  cpu_cores: 1,
  memory_gb: 1,
  version: '1',
};

const graphql = (
  name: string,
  as: HostileRequest['as'],
  query: string | ((size: number, salt: string) => string),
  variables: Variables = () => ({}),
): HostileRequest => ({
  name: `GraphQL, ${name}`,
  as,
  path: '/graphql',
  method: 'POST',
  make: (size, salt) =>
    JSON.stringify({
      query: typeof query === 'string' ? query : query(size, salt),
      variables: variables(size, salt),
    }),
});

const rest = (
  name: string,
  as: HostileRequest['as'],
  path: string,
  body: (size: number, salt: string) => unknown,
): HostileRequest => ({
  name: `REST, ${name}`,
  as,
  path,
  method: 'POST',
  make: (size, salt) => {
    const made = body(size, salt);
    return typeof made === 'string' ? made : JSON.stringify(made);
  },
});

/** Documents within the limits and beyond; `fields` of about as many as a document of `size` can have. */
const documents: Readonly<Record<string, (size: number, salt: string) => string>> = {
  'the most fields': (size, salt) =>
    `query Q${salt} { ${joined(
      Math.min(20, size / 100),
      (n) =>
        `a${n}: instances(first: ${n + 1}) { nodes { id name hostname version status tags cpuPercent memoryPercent enrolledAt lastSeen tenant { id name plan } activeAlerts { id status message } } totalCount }`,
    )} }`,
  'fragments in fragments': (size, salt) =>
    `query Q${salt} { instances { nodes { ...F0 } } } ${joined(
      Math.min(28, size / 60),
      (n) => `fragment F${n} on Instance { id name ...F${n + 1} tenant { id name } }`,
    )} fragment F${Math.min(28, Math.floor(size / 60))} on Instance { id }`,
  'conditions on everything': (size, salt) =>
    `query Q${salt}(${joined(20, (n) => `$v${n}: Boolean = true`)}) { instances { nodes { ${joined(
      Math.min(24, size / 60),
      (n) =>
        `... on Instance @include(if: $v${n % 20}) { a${n}: name tenant @skip(if: $v${(n + 1) % 20}) { id } }`,
    )} } } }`,
  'a broken field at the end of many lines': (size, salt) =>
    `query Q${salt} { ${'\n'.repeat(Math.min(40_000, size))} ${joined(900, (n) => `f${n}`, '\n')} }`,
  'fields that conflict': (size, salt) =>
    `query Q${salt} { ${'\n'.repeat(Math.min(30_000, size))} instances { nodes { ${joined(18, () => 'name')} ${joined(
      24,
      (n) => `a${n}: id a${n}: name`,
      '\n',
    )} } } }`,
  'unknown arguments': (_, salt) =>
    `query Q${salt} { instances(${joined(300, (n) => `argument${n}: ${n}`)}) { totalCount } }`,
  'many operations': (_, salt) =>
    `${joined(400, (n) => `query Q${salt}${n} { ...F }`)} fragment F on Query { me { id } }`,
  'a list of literals': (_, salt) =>
    `query Q${salt} { instances(filter: { tags: [${joined(1_900, (n) => `"t${n}"`)}] }) { totalCount } }`,
  'a literal without end': (size, salt) =>
    `mutation Q${salt} { sendCommand(input: { command: RESTART, params: { a: ${deepText(Math.min(1_800, size))} } }) { id } }`,
  'fields without end': (size) => 'a{'.repeat(Math.min(25_000, size / 2)),
  'a text of a megabyte': (size) => `{ me { id } } #${'x'.repeat(size)}`,
  'the schema': (_, salt) =>
    `query Q${salt} { __schema { types { name description fields(includeDeprecated: true) { name description args { name description type { name kind ofType { name kind ofType { name } } } } type { name kind ofType { name kind ofType { name kind } } } } inputFields { name description } enumValues { name description } } } }`,
  'the schema, as often as it may be asked': (_, salt) =>
    `query Q${salt} { __schema { ${joined(3, (n) => `a${salt}${n}: types { ...T }`)} } } fragment T on __Type { name description fields { name description args { name description type { name } } type { name } } inputFields { name description } }`,
};

const wrongItems = (size: number): unknown[] => times(size / 8, (n) => ({ a: n % 10 }));

/** YAML of a cluster's kubeconfig: at most 200 kB are read of it. */
const kubeconfigs: Readonly<Record<string, (size: number, salt: string) => string>> = {
  'a map of many keys': (size, salt) => `{${joined(size / 20, (n) => `${salt}${n.toString(36)}: 1`, ',')}}`,
  'lines of a key each': (size, salt) => joined(size / 20, (n) => `${salt}${n.toString(36)}: 1`, '\n'),
  'lists without end': (size) => '['.repeat(size),
  'commas alone': (size) => `[${','.repeat(size)}]`,
  'tags there are not': (size, salt) => `[${joined(size / 12, () => `!${salt} 1`, ',')}]`,
  'escapes that are none': (size) => `"${'\\q'.repeat(size / 4)}"`,
  'empty lines': (size) => '\n'.repeat(size / 2),
};

/** The set: what a client can send, in every place that takes something of any size. */
export const hostileRequests: readonly HostileRequest[] = [
  ...Object.entries(documents).flatMap(([name, query]) =>
    (['nobody', 'user'] as const).map((as) => graphql(`${name} (${as})`, as, query)),
  ),
  ...Object.entries(values).flatMap(([name, value]) => [
    graphql(`${name} in params`, 'user', sendCommand, (size, salt) => ({
      input: { command: 'RESTART', instanceIds: [], params: value(size, salt) },
    })),
    graphql(`${name} in facts`, 'node', heartbeat, (size, salt) => ({
      input: { ...beat, facts: value(size, salt) },
    })),
    rest(`${name} in params`, 'user', '/api/fleet/commands', (size, salt) => ({
      command: 'restart',
      params: value(size, salt),
    })),
    rest(`${name} in facts`, 'node', '/api/agent/heartbeat', (size, salt) => ({
      ...restBeat,
      facts: value(size, salt),
    })),
    rest(`${name} for fields`, 'user', '/api/fleet/tokens', (size, salt) => value(size, salt)),
    rest(`${name} for fields of a sign-in`, 'nobody', '/api/auth/login', (size, salt) => value(size, salt)),
    graphql(
      `${name} for a sign-in`,
      'nobody',
      'mutation($input: LoginInput!) { login(input: $input) { expiresIn } }',
      (size, salt) => ({ input: value(size, salt) }),
    ),
  ]),
  ...Object.entries(kubeconfigs).map(([name, text]) =>
    rest(`${name} for a kubeconfig`, 'user', '/api/k8s/clusters', (size, salt) => ({
      name: salt,
      provider: 'none',
      region: 'none',
      kubeconfig: text(Math.min(size, 190_000), salt),
    })),
  ),
  graphql('ids (nobody)', 'nobody', sendCommand, (size) => ({
    input: { command: 'RESTART', instanceIds: times(size / 4, () => 'a') },
  })),
  graphql('ids', 'user', sendCommand, (size) => ({
    input: { command: 'RESTART', instanceIds: times(size / 4, () => 'a') },
  })),
  graphql('as many ids as are read', 'user', sendCommand, (size, salt) => ({
    input: {
      command: 'RESTART',
      instanceIds: times(Math.min(1_000, size / 30), (n) => `inst_${salt}${n}`.padEnd(31, '0')),
    },
  })),
  graphql('values of the wrong kind', 'user', sendCommand, (size) => ({
    input: { command: 'RESTART', instanceIds: wrongItems(size) },
  })),
  graphql(
    'errors of many rules',
    'user',
    'mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }',
    (size) => ({
      input: {
        comment: '',
        endsAt: '2030-01-01T00:00:00Z',
        matchers: times(size / 60, () => ({ field: 'TAG', value: '' })),
      },
    }),
  ),
  graphql('samples', 'node', heartbeat, (size) => ({
    input: {
      ...beat,
      samples: times(Math.min(size / 150, 3_000), (n) => ({
        timestamp: new Date(1e12 + n * 1000).toISOString(),
        cpuPercent: 1,
        memoryPercent: 1,
        diskPercent: 1,
      })),
    },
  })),
  rest('ids', 'user', '/api/fleet/commands', (size) => ({
    command: 'restart',
    instance_ids: times(size / 4, () => 'a'),
  })),
  rest('items of the wrong kind', 'user', '/api/fleet/commands', (size) => ({
    command: 'restart',
    instance_ids: wrongItems(size),
  })),
  rest('unknown fields', 'user', '/api/fleet/tokens', (size, salt) =>
    Object.fromEntries(times(Math.min(20_000, size / 20), (n) => [`${salt}_${n}`, n])),
  ),
  rest(
    'a body without end',
    'user',
    '/api/fleet/commands',
    (size) => `{"command":"restart","params":{"a":${deepText(size)}}}`,
  ),
  rest('what is no JSON', 'user', '/api/fleet/commands', (size) => `{"a":[${'1,'.repeat(size / 2)}`),
  {
    name: 'REST, parameters of a query',
    as: 'user',
    method: 'GET',
    path: '/api/fleet/instances',
    make: (size, salt) => joined(Math.min(size, 12_000) / 8, (n) => `${salt}${n}=1`, '&'),
  },
];
