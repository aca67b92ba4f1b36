import { GraphQLObjectType, GraphQLString } from 'graphql';
import { expect, test } from 'vitest';

import { rootResolvers } from '#platform/subgraph/root-fields.js';

test('a root field that no resolver declares is a fault at the start, not one that goes without its checks', () => {
  for (const [name, kind] of [
    ['Query', 'queries'],
    ['Mutation', 'mutations'],
  ] as const) {
    const type = new GraphQLObjectType({ name, fields: { nobodys: { type: GraphQLString } } });
    expect(() => rootResolvers(type, kind, [])).toThrow('No resolver declares nobodys');
  }
});
