import type { ServiceMap } from '@apollo/gateway';
import {
  GraphQLError,
  OperationTypeNode,
  getNamedType,
  getVariableValues,
  type ExecutionResult,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';

import { callerOf } from '#platform/caller.js';
import { describeFault, findDataFault } from '#platform/client-data.js';
import { variableReader } from '#platform/execution/variables.js';
import type { FindBrokenRules } from '#platform/input-rules.js';
import type { ExchangeContext, RequestContext } from '#platform/request-context.js';
import { invalidFields } from '#platform/validation.js';

import { badRequest } from './bad-request.js';
import type { DocumentSource, Documents, PreparedOperation } from './documents.js';
import { doneOrNot } from './done-or-not.js';
import { introspect } from './introspection.js';
import { tooManyNodes } from './nodes.js';
import type { Admit } from './rate-limit/admission.js';
import type { PlanRunner } from './run-plan.js';

/** One operation of a client, or one of our own with a trusted document. */
export type OperationRequest = DocumentSource & {
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
  context: RequestContext;
};

/** An operation whose variables fit as well. */
export interface ReadyOperation {
  operation: PreparedOperation;
  variables: Record<string, unknown>;
  /** Entries of lists in its answer, if all pages are full. Those of our own documents are not counted. */
  nodes: number;
}

export type Execute = (request: OperationRequest) => Promise<ExecutionResult>;

const noVariables: readonly VariableDefinitionNode[] = [];
// Characters of variables that may be quoted ten times over.
const quotable = 5_000;

export interface ExecutorOptions {
  documents: Documents;
  runner: PlanRunner;
  services: ServiceMap;
  /** What the areas' rules say of an input that is refused for its types. */
  brokenRules?: FindBrokenRules | undefined;
  admit?: Admit | undefined;
  /** Puts tokens in the place of API keys, which subgraphs don't know. */
  exchange?: ExchangeContext | undefined;
}

/** The one door for queries and mutations, whatever transport they came by. Refused requests have no `data`. */
export function createExecutor(options: ExecutorOptions): Execute {
  const { documents, runner, services, brokenRules, admit, exchange } = options;
  return async (request) => {
    const ready = readyOperation(documents, request, brokenRules);
    if ('errors' in ready) return ready;
    const { operation, variables, nodes } = ready;
    if (operation.context.operation.operation === OperationTypeNode.SUBSCRIPTION) {
      return { errors: [subscriptionsNeedMore()] };
    }
    const refusal = await admit?.(operation, request.context, nodes);
    if (refusal) return { errors: [refusal] };
    const { plan } = operation;
    if (!plan) return introspect(operation, variables);
    const exchanged = exchange ? exchange(request.context) : request.context;
    const known = exchanged instanceof Promise ? await exchanged : exchanged;
    const { operation: definition } = operation.context;
    const context = definition.operation === OperationTypeNode.QUERY ? { ...known, mayLag: true } : known;
    const result = await runner.run({ operation, plan, services, variables, context });
    return doneOrNot(result, definition, plan, context);
  };
}

/** Everything that can be found wrong before a subgraph is called. */
export function readyOperation(
  documents: Documents,
  request: OperationRequest,
  brokenRules?: FindBrokenRules,
): ReadyOperation | { errors: readonly GraphQLError[] } {
  const variables = request.variables ?? {};
  // First, because it is cheap: everything after this may walk over them as often as it likes. Of text the subgraph
  // knows whether it is refused or mended.
  const fault = findDataFault(variables, { fields: true, text: false });
  if (fault) return { errors: [badRequest(describeFault(fault, 'the variables'))] };
  const { context, document, query } = request;
  const source = document ? { document } : { query, caller: callerOf(context) };
  const prepared = documents.prepare(source, request.operationName);
  if (prepared.errors) return prepared;
  const { operation } = prepared;
  const definitions = operation.context.operation.variableDefinitions ?? noVariables;
  const { schema } = operation.context;
  const { errors } = variableReader(schema).values(definitions, variables, { maxErrors: 1 });
  if (!errors) {
    const nodes = document ? 0 : operation.countNodes(variables);
    const refusal = tooManyNodes(nodes, documents.limits);
    return refusal ? { errors: [refusal] } : { operation, variables, nodes };
  }
  // Each fault is told with the value around it: with much that is wrong the first only.
  if (JSON.stringify(variables).length > quotable) return { errors: errors.slice(0, 1).map(asBadRequest) };
  const all = getVariableValues(schema, definitions, variables, { maxErrors: 10 }).errors ?? errors;
  const told = all.map(asBadRequest);
  const more = brokenRules && rulesBroken(variables, operation.context, told, brokenRules);
  return { errors: more ? [...told, more] : told };
}

const asBadRequest = (error: GraphQLError) => badRequest(error.message, error);

/** What rules say beside the faults of types: as the subgraph would, had it seen the input. */
function rulesBroken(
  variables: Record<string, unknown>,
  { operation, schema }: PreparedOperation['context'],
  told: readonly GraphQLError[],
  brokenRules: FindBrokenRules,
): GraphQLError | undefined {
  const paths = new Set(told.map(({ message }) => / at "([^"]+)"/.exec(message)?.[1]));
  const details: Record<string, string> = {};
  for (const { variable, type } of operation.variableDefinitions ?? []) {
    const { value: name } = variable.name;
    const named = getNamedType(typeFromAST(schema, type));
    if (!named) continue;
    for (const [path, sentence] of Object.entries(brokenRules(named.name, variables[name], name)))
      if (!paths.has(path)) details[path] = sentence;
  }
  if (Object.keys(details).length === 0) return undefined;
  const { message, extensions } = invalidFields(details);
  return new GraphQLError(message, { extensions });
}

export function subscriptionsNeedMore(): GraphQLError {
  return badRequest(
    'Subscriptions are served at this address over a WebSocket (protocol graphql-transport-ws), and as Server-Sent Events ' +
      'to requests that accept text/event-stream',
  );
}
