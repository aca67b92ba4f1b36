import type { QueryPlan } from '@apollo/query-planner';
import { GraphQLError, OperationTypeNode, type ExecutionResult } from 'graphql';

import { callerOf } from '#platform/caller.js';
import { databaseAway } from '#platform/database/outage.js';
import { isOutcomeUnknown, outcomeUnknown } from '#platform/errors.js';
import type { RequestContext } from '#platform/request-context.js';

/**
 * Tells of UNAVAILABLE whether to come again. What a mutation does is done when its root field has answered: where
 * something below it could not be read, whoever repeated it would do it twice. Nodes may repeat all that they report. A
 * query does nothing that could be done twice, whatever it keeps on the way.
 */
export function doneOrNot(
  result: ExecutionResult,
  kind: OperationTypeNode,
  plan: QueryPlan,
  context: RequestContext,
): ExecutionResult {
  const { errors } = result;
  if (!errors) return result;
  if (kind === OperationTypeNode.QUERY) return { ...result, errors: errors.map(comeAgain) };
  if (callerOf(context)?.isNode) return result;
  // What is asked of others comes after the root field; who cannot be asked has no path.
  const isAlone = plan.node?.kind === 'Fetch';
  const isBelow = ({ path }: GraphQLError) => (path === undefined ? !isAlone : path.length > 1);
  return {
    ...result,
    errors: errors.map((error) =>
      error.extensions['code'] === 'UNAVAILABLE' && isBelow(error)
        ? inWordsOf(outcomeUnknown(), error)
        : error,
    ),
  };
}

const comeAgain = (error: GraphQLError) =>
  isOutcomeUnknown(error.extensions) ? inWordsOf(databaseAway(undefined), error) : error;

function inWordsOf(
  { message, extensions }: ReturnType<typeof outcomeUnknown>,
  { path }: GraphQLError,
): GraphQLError {
  return new GraphQLError(message, { path, extensions: { ...extensions } });
}
