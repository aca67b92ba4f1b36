import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';

import { ApiError } from '../errors.js';

/** Undefined while nobody wants traces, which then cost a look at this variable. */
let tracer: Tracer | undefined;
/** Of errors that have left their span: who logs them stands outside. */
const cameFrom = new WeakMap<object, SpanContext>();

/** For start.ts only. */
export function traceBy(made: Tracer | undefined): void {
  tracer = made;
}

export function isTracing(): boolean {
  return tracer !== undefined;
}

/** Whether what happens now belongs to a trace: pollers and sweeps do not begin one with each of their statements. */
export function isInTrace(): boolean {
  return tracer !== undefined && trace.getSpanContext(context.active()) !== undefined;
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

export interface SpanOptions {
  kind?: keyof typeof kinds;
  attributes?: Attributes | undefined;
}

/** Runs `work` as a part of the trace that it is called in, or as the first of a new one. Failures are told of. */
export function traced<T>(name: string, options: SpanOptions, work: (span?: Span) => Promise<T>): Promise<T> {
  // No promise besides that of the work: a request passes here several times.
  return tracer ? inNewSpan(name, options, work) : work();
}

async function inNewSpan<T>(
  name: string,
  { kind = 'internal', attributes }: SpanOptions,
  work: (span?: Span) => Promise<T>,
): Promise<T> {
  const span = begin(name, kind, attributes);
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    failed(span, error);
    // The innermost one knows best.
    if (error instanceof Error && !cameFrom.has(error)) cameFrom.set(error, span.spanContext());
    throw error;
  } finally {
    span.end();
  }
}

/** A span that the caller ends. It is not the one that others belong to. */
export function beginSpan(name: string, { kind = 'internal', attributes }: SpanOptions): Span | undefined {
  return tracer && begin(name, kind, attributes);
}

/** Runs `work` so that what it does belongs to `span`. */
export function inSpan<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** Runs `work` in the trace that a caller's headers name (W3C `traceparent`), or outside of any. */
export function inTraceOf<T>(headers: Readonly<Record<string, unknown>>, work: () => T): T {
  return tracer ? context.with(propagation.extract(ROOT_CONTEXT, headers), work) : work();
}

/** Headers that take the trace along to another process of the panel. Others are not told of it. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  if (tracer) propagation.inject(context.active(), headers);
  return headers;
}

/** The trace that this is a part of as a W3C `traceparent`, to be kept with what it leads to later; null outside of any. */
export function currentTraceparent(): string | null {
  return traceHeaders()['traceparent'] ?? null;
}

/** For the log: which trace a line belongs to. Outside of any it is that of the error that it tells of. */
export function traceFields(line: object): { trace_id?: string; span_id?: string } {
  if (!tracer) return {};
  const { err } = line as { err?: unknown };
  const span =
    trace.getSpanContext(context.active()) ?? (err instanceof Error ? cameFrom.get(err) : undefined);
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Says of a span that what it stands for has failed. Its words are for the log, where secrets are left out. */
export function failed(span: Span, error: unknown): void {
  const type = error instanceof ApiError ? error.code : error instanceof Error ? error.name : 'unknown';
  span.setAttribute('error.type', type);
  // A refusal is an answer.
  const isFault = !(error instanceof ApiError) || error.code === 'INTERNAL' || error.code === 'UNAVAILABLE';
  if (isFault) span.setStatus({ code: SpanStatusCode.ERROR });
}

function begin(name: string, kind: keyof typeof kinds, attributes?: Attributes): Span {
  return tracer!.startSpan(name, { kind: kinds[kind], ...(attributes ? { attributes } : {}) });
}
