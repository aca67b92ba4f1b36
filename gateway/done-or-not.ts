import type { QueryPlan } from '@apollo/query-planner';
import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ExecutionResult,
  type OperationDefinitionNode,
} from 'graphql';

import { callerOf } from '#platform/caller.js';
import { databaseAway } from '#platform/database/outage.js';
import { isOutcomeUnknown, outcomeUnknown } from '#platform/errors.js';
import type { RequestContext } from '#platform/request-context.js';

/**
 * Tells of UNAVAILABLE whether to come again. What a mutation does is done when its root field has answered: where
 * something below it could not be read, whoever repeated it would do it twice; so it is where a root field before another
 * one may be done. Nodes may repeat all that they report. A query does nothing that could be done twice, whatever it keeps
 * on the way.
 */
export function doneOrNot(
  result: ExecutionResult,
  operation: OperationDefinitionNode,
  plan: QueryPlan,
  context: RequestContext,
): ExecutionResult {
  const { errors, data } = result;
  if (!errors) return result;
  if (operation.operation === OperationTypeNode.QUERY) return { ...result, errors: errors.map(comeAgain) };
  if (callerOf(context)?.isNode) return result;
  // What is asked of others comes after the root field; who cannot be asked has no path.
  const { first, isOnly } = rootOf(operation);
  const isAlone = isOnly && plan.node?.kind === 'Fetch';
  const mayBeDone = ({ path }: GraphQLError) => {
    if (path === undefined) return !isAlone;
    // The first that fails ends all, unless it may be null.
    return path.length > 1 || (!isOnly && (path[0] !== first || data != null));
  };
  return {
    ...result,
    errors: errors.map((error) =>
      error.extensions['code'] === 'UNAVAILABLE' && mayBeDone(error)
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

/** By what name the first root field answers, as far as that is to be seen at once, and whether it is the only one. */
function rootOf({ selectionSet: { selections } }: OperationDefinitionNode): {
  first: string | undefined;
  isOnly: boolean;
} {
  const [selection] = selections;
  if (selection?.kind !== Kind.FIELD) return { first: undefined, isOnly: false };
  return { first: (selection.alias ?? selection.name).value, isOnly: selections.length === 1 };
}
