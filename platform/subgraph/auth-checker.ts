import type { AuthCheckerFn } from 'type-graphql';

import type { SubgraphContext } from './build.js';

/** Checks `@Authorized('area.noun.verb')`: no viewer is UNAUTHENTICATED, a viewer without the permission FORBIDDEN. */
export function authorize({ operation }: SubgraphContext, permissions: readonly string[]): void {
  operation.requireViewer();
  for (const permission of permissions) operation.require(permission);
}

/** For fields whose resolvers are type-graphql's. */
export const authChecker: AuthCheckerFn<SubgraphContext, string> = ({ context }, permissions) => {
  authorize(context, permissions);
  return true;
};
