import type { ExecutionResult } from 'graphql';
import { expect } from 'vitest';

import type { EventStream } from '#platform/subgraph/map-events.js';

import { caller, type TestGateway } from './start-gateway.js';

type Stream = EventStream<ExecutionResult>;

export async function open(
  { gateway }: TestGateway,
  query: string,
  after?: string,
  requestId: string = caller.requestId,
): Promise<Stream> {
  const context = { ...caller, requestId, ...(after === undefined ? {} : { after }) };
  const stream = await gateway.subscribe({ query, context });
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
  return stream;
}

export async function nextOf(stream: Stream): Promise<unknown> {
  return JSON.parse(JSON.stringify(await stream.next()));
}

/** Why a stream was ended: over HTTP its last event says so, in process it fails. */
export async function endOf(stream: Stream): Promise<unknown> {
  const told = await stream.next().catch((error: unknown) => ({ value: { errors: [error] } }));
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  return JSON.parse(JSON.stringify(told.value)).errors[0].extensions;
}
