import { composeSupergraph } from '#gateway/compose.js';
import { createGateway } from '#gateway/gateway.js';
import { silentLogger } from '#platform/logger.js';

import { World } from '../support/world.js';
const repeat = (n: number, part: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => part(i)).join(' ');
const nested = (levels: number, field: string): string =>
  `${`${field} { `.repeat(levels)} id ${'}'.repeat(levels)}`;
const doubling = (n: number): string =>
  `${repeat(n, (i) => `fragment F${i} on Instance { ...F${i + 1} ... on Instance { ...F${i + 1} } }`)} fragment F${n} on Instance { id }`;
const docs: Record<string, string> = {
  chars: `{ instances { id } } #${'x'.repeat(60_000)}`,
  tokens: `{ instances(ids: [${repeat(10_000, (i) => `${i}`)}]) { id } }`,
  deep100: `{ ${nested(100, 'instances')} }`,
  deep2400: `{ ${nested(2_400, 'a')} }`,
  fields1500: `{ instances { ${repeat(1_500, (i) => `f${i}`)} } }`,
  fields4900: `{ instances { ${repeat(4_900, (i) => `f${i}`)} } }`,
  doubling: `{ instances { ...F0 } } ${doubling(40)}`,
  aliases: `{ instances { ${repeat(80, (i) => `a${i}: name`)} } }`,
  repeats500: `{ instances { ${repeat(500, () => 'name')} } }`,
  unknown900: `{ instances { ${repeat(900, (i) => `nome${i}`)} } }`,
  unknown50: `{ ${repeat(19, (i) => `instancess${i}`)} }`,
  overlap: `{ ${repeat(2, () => 'instances { ' + repeat(2, () => 'i { ' + repeat(2, () => 'j { ' + repeat(2, () => ' k { id }') + ' }') + ' }') + ' }')} }`,
  frag50: `{ instances { ${repeat(50, (i) => `...F${i}`)} } } ${repeat(50, (i) => `fragment F${i} on Instance { id name score }`)}`,
  fragcross: `{ instances { ${repeat(48, (i) => `...F${i}`)} } } ${repeat(48, (i) => `fragment F${i} on Instance { ${repeat(18, (j) => `a${j}`)} }`)}`,
  vars: `query (${repeat(1000, (i) => `$v${i}: Int`)}) { instances { id } }`,
  introspectBomb: `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`,
  syntax: `{ instances { id `,
};
const world = new World();
const { supergraphSdl } = composeSupergraph(world.subgraphs);
const gateway = await createGateway({
  supergraphSdl,
  subgraphs: world.subgraphs,
  logger: silentLogger,
  verify: async () => null,
});
for (const [name, query] of Object.entries(docs)) {
  let r: any;
  for (let i = 0; i < 30; i++)
    r = await gateway.execute({ query: query + ' #w' + i, context: { requestId: 'x', clientAddress: '' } });
  const n = 50;
  const t0 = process.cpuUsage();
  const h0 = performance.now();
  for (let i = 0; i < n; i++)
    r = await gateway.execute({ query: query + ' #' + i, context: { requestId: 'x', clientAddress: '' } });
  const c = process.cpuUsage(t0);
  console.log(
    name.padEnd(16),
    ((c.user + c.system) / 1000 / n).toFixed(3),
    'ms cpu',
    ((performance.now() - h0) / n).toFixed(3),
    'ms',
    (r.errors?.[0]?.message ?? 'OK').slice(0, 90),
  );
}
console.log(world.contexts.length);
await gateway.stop();
