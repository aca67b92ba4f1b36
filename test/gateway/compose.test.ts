import { expect, test } from 'vitest';

import { composeSupergraph } from '#gateway/compose.js';
import { createGateway } from '#gateway/gateway.js';
import { silentLogger } from '#platform/logger.js';

import { World } from './support/world.js';

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

test('composing gives the supergraph and what clients see of it', () => {
  const { supergraphSdl, apiSdl } = composeSupergraph(new World().subgraphs);
  expect(supergraphSdl).toContain('url: "http://fleet.subgraph"');
  expect(apiSdl).toContain('type Instance {\n  id: ID!\n  name: String!\n  score: Int!');
  expect(apiSdl).not.toMatch(/@key|@join|_Entity|_service/);
});

test('the order of the subgraphs does not matter', () => {
  const { subgraphs } = new World();
  expect(composeSupergraph(subgraphs.toReversed())).toEqual(composeSupergraph(subgraphs));
});

test('everything that does not fit together is said at once', () => {
  const subgraphs = [
    { name: 'a', sdl: `${link} type Query { one: String two: Int }` },
    { name: 'b', sdl: `${link} type Query { one: String two: Int }` },
  ];
  expect(() => composeSupergraph(subgraphs)).toThrow(
    /^The subgraphs do not compose:\n {2}- INVALID_FIELD_SHARING: .*"Query.one".*\n {2}- INVALID_FIELD_SHARING: .*"Query.two"/,
  );
});

test('a subgraph that nobody serves is a failure at the start', async () => {
  const { subgraphs } = new World();
  const { supergraphSdl } = composeSupergraph(subgraphs);
  const gateway = createGateway({
    supergraphSdl,
    subgraphs: subgraphs.slice(0, 1),
    logger: silentLogger,
    verify: () => Promise.reject(new Error('nobody signs in')),
  });
  await expect(gateway).rejects.toThrow('The supergraph has subgraphs that nobody serves: governance');
});
