import type { MiddlewareFn } from 'type-graphql';

import type { SubgraphContext } from './build.js';

/**
 * Audits every mutation in its own transaction. A field marked `@Extensions({ audit: false })` is left out: beats and
 * other telemetry, which would drown the trail.
 */
export const auditMutations: MiddlewareFn<SubgraphContext> = async ({ info, context, args }, next) => {
  if (info.operation.operation !== 'mutation' || info.path.prev !== undefined) return next();
  const field = info.parentType.getFields()[info.fieldName];
  if (field?.extensions['audit'] === false) return next();
  return context.operation.mutation({ name: info.fieldName, args }, next);
};
