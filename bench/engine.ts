import { execute, parse, type FormattedExecutionResult } from 'graphql';

import { silentLogger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { buildSubgraph } from '#platform/subgraph/build.js';
import { SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';
import { InstanceResolver } from '#subgraphs/fleet/instance/instance.resolver.js';
import type { InstanceService } from '#subgraphs/fleet/instance/instance.service.js';

import { fixed, publish, type Figure } from './support/report.js';
import { abba, median, pairedRatio } from './support/stats.js';

const rowCount = 1_000;
const runsPerRound = 40;

const query = `query ($first: Int) {
  instances(first: $first) {
    nodes { id name hostname version status appsCount cpuPercent memoryPercent lastSeen }
    pageInfo { endCursor hasNextPage }
  }
}`;
const request = { query, variables: { first: rowCount } };

/** The same operation through fleet's own resolvers, over rows that are at hand: by the engine and by graphql-js. */
export async function engineBench(): Promise<void> {
  const subgraph = await fleetOfRows();
  const runner = new SubgraphRunner(subgraph, silentLogger);
  const document = parse(query, { noLocation: true });
  const byEngine = async () => runner.execute(request, { requestId: '', clientAddress: '' });
  const byGraphql = async () => {
    const contextValue = subgraph.createContext({ requestId: '', clientAddress: '' });
    const { data } = await execute({
      schema: subgraph.schema,
      document,
      variableValues: request.variables,
      contextValue,
    });
    return { data: data ?? null };
  };
  const [ours, theirs] = [JSON.stringify(await byEngine()), JSON.stringify(await byGraphql())];
  if (ours !== theirs || ours.length < 100 * rowCount) throw new Error('the answers differ, or are none');

  const figures: Figure[] = [];
  const details: Record<string, unknown> = {};
  for (const [what, finish, target] of [
    ['the answer', (answer: FormattedExecutionResult) => answer, 0.35],
    ['the answer and its text', (answer: FormattedExecutionResult) => JSON.stringify(answer), undefined],
  ] as const) {
    const found = await abba(
      { name: 'engine', round: async () => cpuMs(async () => finish(await byEngine())) },
      { name: 'graphql-js', round: async () => cpuMs(async () => finish(await byGraphql())) },
      { rounds: 24, discarded: 4 },
    );
    const ratio = pairedRatio(found.a, found.b);
    figures.push(
      { what: `CPU of ${what} by the engine (ms)`, value: fixed(median(found.a)) },
      { what: `CPU of ${what} by graphql-js (ms)`, value: fixed(median(found.b)) },
      {
        what: `${what}: engine / graphql-js`,
        value: fixed(ratio),
        ...(target === undefined ? {} : { target: `<= ${target}`, isMet: ratio <= target }),
      },
    );
    details[what] = found;
  }
  publish({
    name: 'engine',
    setup: `${rowCount} rows of 9 fields through fleet's resolvers in one process, no database; the same bytes from both`,
    figures,
    details,
  });
}

/** CPU of this process for one run, garbage collection included. */
async function cpuMs(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let time = 0; time < runsPerRound; time += 1) await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runsPerRound;
}

/** Rows as the list reads them for these fields: see `columnsFor` of instance.service.ts. */
async function fleetOfRows() {
  const now = new Date();
  const nodes = Array.from({ length: rowCount }, (_, at) => ({
    id: `inst_${String(at).padStart(26, '0')}`,
    name: `node-${at}`,
    hostname: `node-${at}.example.com`,
    version: '0.2.9',
    appsCount: 3,
    cpuPercent: 12.5,
    memoryPercent: 40,
    statusNow: 'HEALTHY',
    lastSeenAt: now.toISOString(),
  }));
  const page = { nodes, pageInfo: { endCursor: null, hasNextPage: false }, total: async () => rowCount };
  const service = { page: async () => page } as unknown as InstanceService;
  const operation = { requireViewer: () => undefined, require: () => undefined, clock: { now: () => now } };
  const resolver = new InstanceResolver(service);
  const wiring = { name: 'fleet', resolvers: new Map([[InstanceResolver, resolver]]), references: {} };
  const built = await buildSubgraph({
    name: 'fleet',
    resolvers: [resolver],
  } as unknown as Parameters<typeof buildSubgraph>[0]);
  return {
    ...built,
    createContext: (_request: RequestContext) =>
      ({ operation, streams: undefined, wiring }) as unknown as SubgraphContext,
  };
}
