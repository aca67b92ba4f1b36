/** What the panel says of a session: a refusal with its code, or no answer at all (status 0). */
export class SessionProblem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly reason?: string | undefined,
    /** How long the panel wants to be left alone. */
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }

  /** Whether it is known that nobody is signed in; otherwise trying again may help. */
  get isOver(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/** Whether nobody knows what the panel did: there was no answer, or one that is not its own, or it broke off. */
export const isInDoubt = (error: unknown): boolean =>
  error instanceof SessionProblem && (error.status === 0 || (error.status >= 500 && error.status !== 503));

export interface SessionAnswer {
  accessToken?: string;
  expiresIn: number;
  challengeToken?: string;
}

/** A token that was used twice ends the session 10 seconds after its first use: by then it has to be asked for again. */
const refreshWithinMs = 4_000;
const answerWithinMs = 20_000;

/** Asks the panel for a session. The refresh token is in a cookie that no script sees. */
export async function requestSession(
  what: 'login' | 'code' | 'refresh' | 'logout',
  body?: Record<string, string>,
): Promise<SessionAnswer> {
  let response: Response;
  try {
    response = await fetch(`/console/session/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-quazzar-console': '1' },
      body: JSON.stringify(body ?? {}),
      signal: AbortSignal.timeout(what === 'refresh' ? refreshWithinMs : answerWithinMs),
    });
  } catch {
    throw new SessionProblem('The panel can not be reached. Check your connection and try again.', 0);
  }
  if (response.status === 204) return { expiresIn: 0 };
  const answer = (await response.json().catch(() => ({}))) as SessionAnswer & Refused;
  if (response.ok) return answer;
  const wait = Number(response.headers.get('retry-after') ?? 0);
  throw new SessionProblem(
    wordsOf(answer, response.status, wait),
    response.status,
    answer.reason,
    wait * 1_000,
  );
}

interface Refused {
  error?: string;
  reason?: string;
  details?: Record<string, string>;
}

function wordsOf({ error, details }: Refused, status: number, waitSeconds: number): string {
  if (status === 429) return `Too many attempts. Try again in ${Math.max(1, waitSeconds)} seconds.`;
  if (status >= 500) return 'The panel can not do this just now. Try again in a moment.';
  const named = details ? Object.values(details).join('. ') : '';
  return `${named || error || `The panel refused this (${status})`}.`;
}
