import type { AreaContext, RunningArea } from '#platform/area.js';
import { buildSubgraph } from '#platform/subgraph/build.js';

import { PackageResolver } from './package/package.resolver.js';
import { billingPermissions } from './permissions.js';

/** The billing subgraph, wired by hand. */
export function createBilling({ database, clock, verifier, streams }: AreaContext<unknown>): RunningArea {
  return {
    build: () =>
      buildSubgraph({
        name: 'billing',
        database,
        clock,
        verifier,
        permissions: billingPermissions,
        streams,
        resolvers: [new PackageResolver()],
      }),
  };
}
