import type { GraphQLSchema } from 'graphql';

import { silentLogger } from '#platform/logger.js';
import { SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { call } from '../support/http.js';
import type { Call } from './operations.js';

/** An answer, as far as the checks look at it. */
export interface Answer {
  /** All of it, headers included. */
  text: string;
  data: Record<string, unknown> | null;
  code: string | undefined;
  reason: string | undefined;
}

/** Something that answers operations of a schema: the panel, or one subgraph by itself. */
export interface Target {
  schema: GraphQLSchema;
  /** Where it listens, if it does. */
  url?: string;
  ask(call: Call, token: string | undefined): Promise<Answer>;
}

interface Result {
  data?: Record<string, unknown> | null;
  errors?: readonly { extensions?: Record<string, unknown> }[];
}

/** What a GraphQL result says, whatever way it came. */
export function answerOf(result: Result, headers = ''): Answer {
  const extensions = result.errors?.[0]?.extensions;
  const word = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    text: `${JSON.stringify(result)}\n${headers}`,
    data: result.data ?? null,
    code: result.errors ? (word(extensions?.['code']) ?? 'an error without a code') : undefined,
    reason: word(extensions?.['reason']),
  };
}

/** `CODE (REASON)`, or that there was an answer. */
export function outcomeOf({ code, reason }: Answer): string {
  if (code === undefined) return 'answered';
  return reason === undefined ? code : `${code} (${reason})`;
}

/** A panel, asked over HTTP as clients do. */
export function panelTarget(url: string, schema: GraphQLSchema): Target {
  return {
    schema,
    url,
    async ask(body, token) {
      const answer = await call<Result>(`${url}/graphql`, { token, body });
      if (typeof answer.body !== 'object') throw new Error(`not JSON: ${answer.status} ${answer.text}`);
      return answerOf(answer.body, JSON.stringify([...answer.headers]));
    },
  };
}

/** One subgraph, asked in process as the gateway does. */
export function subgraphTarget(subgraph: Subgraph): Target {
  const runner = new SubgraphRunner(subgraph, silentLogger);
  return {
    schema: subgraph.schema,
    ask: async (call, token) =>
      answerOf(
        await runner.execute(call, {
          requestId: 'test',
          clientAddress: '127.0.0.1',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        }),
      ),
  };
}
