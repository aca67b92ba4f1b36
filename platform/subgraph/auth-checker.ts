import type { AuthCheckerFn } from 'type-graphql';

import type { SubgraphContext } from './build.js';

/** Checks `@Authorized('area.noun.verb')`: no viewer is UNAUTHENTICATED, a viewer without the permission FORBIDDEN. */
export const authChecker: AuthCheckerFn<SubgraphContext, string> = ({ context }, permissions) => {
  context.operation.requireViewer();
  for (const permission of permissions) context.operation.require(permission);
  return true;
};
