import type { AnyVariables, CombinedError } from '@urql/core';

import { SessionProblem } from '../session/session-request.ts';

export interface Told {
  /** What happened, and what to do about it. */
  text: string;
  code: string;
  /** A change of which nobody knows whether it was done: `text` says so. */
  isInDoubt?: true;
  /** What is wrong with single fields, by their path in the input: `forSeconds`, `rule.value.0.condition`. */
  fields?: Readonly<Record<string, string>>;
  /** The same in one word, where the panel tells it: `FIELD_CONFLICT`. */
  reason?: string | undefined;
  details?: unknown;
}

const advice: Record<string, string> = {
  FORBIDDEN: 'Your role does not allow this. Ask an owner or admin of your organization.',
  PLAN_REQUIRED: 'Your plan does not have this. An owner can change the plan.',
  UNAVAILABLE: 'A part of the panel can not be reached just now. Try again in a moment.',
  INTERNAL: 'Something went wrong in the panel. Try again; its log has the details.',
  UNAUTHENTICATED: 'Your session has ended. Sign in again.',
};

const mayBeDone =
  'The panel was lost while it did this, and it may be done or not. Look before you do it again.';

const brokenOff =
  'Something went wrong in the panel while it did this, and it may be done or not. Look before you do it again; its log has the details.';

const unreached = 'The panel can not be reached. Check your connection, then try again.';

/** What an answer that was lost means for another try: a change may be done by then, and one with a key is done once. */
const lost = {
  change: mayBeDone,
  'change by key':
    'The panel can not be reached. Check your connection, then send the same again: it is done once.',
};

type Asked = 'reading' | keyof typeof lost;

/** What was asked: a mutation with these variables. */
export function changeBy(variables: AnyVariables): keyof typeof lost {
  const input: unknown = variables?.['input'];
  const isKeyed = typeof input === 'object' && input !== null && 'idempotencyKey' in input;
  return isKeyed ? 'change by key' : 'change';
}

/** An error in words for whoever reads the page. */
export function problemOf(error: CombinedError, asked: Asked = 'reading'): Told {
  const { networkError, graphQLErrors, response } = error;
  const status = (response as Response | undefined)?.status;
  const [first] = graphQLErrors;
  const code = typeof first?.extensions['code'] === 'string' ? first.extensions['code'] : '';
  if (code === 'RATE_LIMITED' || status === 429) {
    const seconds = Number(first?.extensions['retryAfterSeconds'] ?? 60);
    return { code: 'RATE_LIMITED', text: `Too many requests. Try again in ${seconds} seconds.` };
  }
  if (networkError || !first) {
    // With 503 nothing was done, and without a token nothing was sent.
    const isUndone = status === 503 || networkError instanceof SessionProblem;
    if (isUndone || asked === 'reading') return { code: 'NETWORK', text: unreached };
    return { code: 'NETWORK', text: lost[asked], isInDoubt: true };
  }
  const details = first.extensions['details'];
  if (code === 'VALIDATION_FAILED' && typeof details === 'object' && details !== null) {
    const fields = Object.fromEntries(
      Object.entries(details).map(([path, fault]) => [path.replace(/^input\./, ''), sentence(String(fault))]),
    );
    if (Object.keys(fields).length > 0) return { code, text: Object.values(fields).join(' '), fields };
  }
  const told = first.extensions['reason'];
  const reason = typeof told === 'string' ? told : undefined;
  if (reason === 'OUTCOME_UNKNOWN') return { code, text: mayBeDone, reason, isInDoubt: true };
  if (code === 'INTERNAL' && asked === 'change') return { code, text: brokenOff, reason, isInDoubt: true };
  return { code, text: adviceFor(code, reason, sentence(first.message)), reason, details };
}

function adviceFor(code: string, reason: string | undefined, words: string): string {
  // What is away is named: a provider, a cluster, the database.
  if (code === 'UNAVAILABLE' && reason !== undefined) return `${words} Try again in a moment.`;
  return advice[code] ?? words;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
