import type { Span } from '@opentelemetry/api';

import { beginSpan, failed } from './tracing.js';

/** What `pg` takes as a query, in its several forms. */
interface Question {
  text?: string;
  /** Of a `Submittable`, called once with the answer or the error. */
  callback?: Callback | null;
}
type Callback = (error: Error | null | undefined, ...answer: unknown[]) => void;

/** Asks, with a span from the question to its answer. */
export function tracedQuery(given: unknown[], ask: (...given: unknown[]) => unknown): unknown {
  const question = given[0] as Question | string;
  const text = typeof question === 'string' ? question : (question.text ?? '');
  const span = beginSpan(operationOf(text), {
    kind: 'client',
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': shownText(text) },
  });
  if (!span) return ask(...given);
  const at = given.findIndex((one) => typeof one === 'function');
  if (at >= 0) return ask(...given.with(at, ending(span, given[at] as Callback)));
  if (typeof question === 'object' && typeof question.callback === 'function') {
    question.callback = ending(span, question.callback);
    return ask(...given);
  }
  const answer = ask(...given);
  if (!(answer instanceof Promise)) {
    span.end();
    return answer;
  }
  return answer.then(
    (result: unknown) => {
      span.end();
      return result;
    },
    (error: unknown) => {
      failed(span, error);
      span.end();
      throw error;
    },
  );
}

function ending(span: Span, callback: Callback): Callback {
  return function (this: unknown, error, ...answer) {
    if (error) failed(span, error);
    span.end();
    callback.call(this, error, ...answer);
  };
}

const longest = 2_000;
const literals = /(?:\bE)?'(?:[^'\\]|''|\\.)*'/gs;
const opening = /^\s*(?:begin|start transaction[^;]*|set local [^;]*|select set_config\([^;]*\))\s*;\s*/i;

/** The statement without values: what stands in quotes, or is a number, is a question mark. */
export function shownText(text: string): string {
  const shown = text
    .slice(0, 2 * longest)
    .replace(literals, '?')
    // Cut off in the middle of a literal.
    .replace(/'.*$/s, '?')
    .replace(/(?<![\w$."])\d+(?:\.\d+)?\b/g, '?');
  return withoutOpening(shown).slice(0, longest);
}

/** The first word of what is not said only to open the transaction. */
function operationOf(text: string): string {
  return /\w+/.exec(withoutOpening(text.slice(0, longest)))?.[0].toUpperCase() ?? 'QUERY';
}

function withoutOpening(text: string): string {
  let rest = text;
  while (opening.test(rest)) rest = rest.replace(opening, '');
  return rest;
}
