import { createGateway } from '#gateway/gateway.js';
import { composeSupergraph } from '#gateway/compose.js';
import { silentLogger } from '#platform/logger.js';
import { Supergraph, operationFromDocument } from '@apollo/federation-internals';
import { parse, execute } from 'graphql';
import { World } from '../support/world.js';
const world = new World();
const { supergraphSdl } = composeSupergraph(world.subgraphs);
const gateway = await createGateway({ supergraphSdl, subgraphs: world.subgraphs, logger: silentLogger, verify: async () => null });
const api = Supergraph.build(supergraphSdl).apiSchema();
const query = '{ alerts { id instance { id name score violations { rule at } } } instances { id name score } policies { id appliesTo { name score } } }';
const doc = parse(query);
async function bench(name: string, n: number, f: () => unknown) {
  for (let i = 0; i < n / 4; i++) await f();
  const t0 = process.cpuUsage(); for (let i = 0; i < n; i++) await f(); const c = process.cpuUsage(t0);
  console.log(name.padEnd(30), ((c.user + c.system) / 1000 / n).toFixed(4), 'ms cpu');
}
const ctx = () => ({ requestId: 'x', clientAddress: '' });
await bench('execute query', 3000, () => gateway.execute({ query, context: ctx() }));
await bench('execute document', 3000, () => gateway.execute({ document: doc, context: ctx() }));
await bench('small', 3000, () => gateway.execute({ query: '{ instances { id } }', context: ctx() }));
await bench('operationFromDocument', 3000, () => operationFromDocument(api, doc, { validate: false }));
await gateway.stop();
