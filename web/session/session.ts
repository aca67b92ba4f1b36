import { Store } from '../parts/store.ts';
import { actingIn, actingToken, currentActingToken, forgetActing, refuseActingToken } from './acting.ts';
import { isInDoubt, requestSession, SessionProblem, type SessionAnswer } from './session-request.ts';

export type SessionState = 'starting' | 'unreachable' | 'limited' | 'signed-out' | 'signed-in';

/** Whether somebody is signed in at this browser. */
export const sessionState = new Store<SessionState>('starting');

/** What requests go out with. By another one whoever is signed in may have another role, or an acting another end. */
export const tokenInUse = new Store('');

interface Held {
  token: string;
  endsAt: number;
}

type Told = { kind: 'token'; held: Held } | { kind: 'signed-in' } | { kind: 'signed-out' };

// A token is asked for anew a while before it ends, so that no request is on its way with one that is over.
const earlyMs = 60_000;
const retryMs = 2_000;

/** In memory only: a page that is left forgets it. */
let held: Held | undefined;
let renewing: Promise<string> | undefined;
const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('quazzar-console') : undefined;

/** Finds out whether somebody is signed in, and follows what other tabs do about it. */
export function startSession(): void {
  tabs?.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (data.kind === 'token') held = data.held;
    // Perhaps as somebody else: nothing of what is shown here may stay.
    else if (data.kind === 'signed-in') location.reload();
    else forget();
  });
  void begin();
}

async function begin(): Promise<void> {
  try {
    await renew();
    sessionState.set('signed-in');
  } catch (error) {
    if (!(error instanceof SessionProblem) || error.isOver) return forget();
    sessionState.set(error.status === 429 ? 'limited' : 'unreachable');
    setTimeout(() => void begin(), Math.max(retryMs, error.retryAfterMs));
  }
}

/** A token that is good for a while. Throws a `SessionProblem` when there is none to be had now. */
export async function accessToken(): Promise<string> {
  const tenantId = actingIn();
  const token = await (tenantId === undefined ? ownToken() : actingToken(tenantId, ownToken));
  tokenInUse.set(token);
  return token;
}

/** Of whoever is signed in, in their own tenant. */
async function ownToken(): Promise<string> {
  if (held && held.endsAt - earlyMs > Date.now()) return held.token;
  return renew();
}

/** After the panel has refused a token: asks for another, or finds that the session has ended. */
export async function recheckSession(refused: string): Promise<void> {
  refuseActingToken(refused);
  if (held?.token === refused) held = undefined;
  await accessToken().catch(() => undefined);
}

/** The token that requests go out with just now, if any. */
export const currentToken = (): string | undefined =>
  actingIn() === undefined ? held?.token : currentActingToken();

async function renew(): Promise<string> {
  renewing ??= takingTurns(async () => {
    // Another tab may have done it while this one waited.
    if (held && held.endsAt - earlyMs > Date.now()) return held.token;
    return take(await refreshed());
  }).finally(() => (renewing = undefined));
  try {
    return await renewing;
  } catch (error) {
    if (error instanceof SessionProblem && error.isOver && sessionState.get() === 'signed-in') {
      tabs?.postMessage({ kind: 'signed-out' } satisfies Told);
      forget();
    }
    throw error;
  }
}

/** An answer that was lost is asked for again at once, while the panel still gives the same one. */
async function refreshed(): Promise<SessionAnswer> {
  return requestSession('refresh').catch(async (error: unknown) => {
    if (error instanceof SessionProblem && error.status === 0) return requestSession('refresh');
    throw error;
  });
}

/**
 * A refresh token is good for one use, so tabs take turns. Where there are no locks (a page without TLS), the panel gives
 * who comes second within seconds the same answer again.
 */
async function takingTurns<Result>(work: () => Promise<Result>): Promise<Result> {
  // The types don't know that pages without TLS have none.
  const locks = navigator.locks as LockManager | undefined;
  return locks ? locks.request('quazzar-console-session', work) : work();
}

function take({ accessToken: token, expiresIn }: SessionAnswer): string {
  if (!token) throw new SessionProblem('The panel gave no token.', 500);
  held = { token, endsAt: Date.now() + expiresIn * 1000 };
  tabs?.postMessage({ kind: 'token', held } satisfies Told);
  return token;
}

/** Signs in. Answers a challenge when a code of the second factor is needed, for `answerCode`. */
export async function signIn(email: string, password: string): Promise<string | undefined> {
  const answer = await requestSession('login', { email, password });
  if (answer.challengeToken) return answer.challengeToken;
  enter(answer);
  return undefined;
}

export async function answerCode(challengeToken: string, code: string): Promise<void> {
  enter(await requestSession('code', { challengeToken, code }));
}

function enter(answer: SessionAnswer): void {
  forgetActing();
  take(answer);
  sessionState.set('signed-in');
  tabs?.postMessage({ kind: 'signed-in' } satisfies Told);
}

/**
 * Ends the session, here and in all tabs. Where nobody knows whether the panel has ended it, it is asked once more at once:
 * what is over by then, it says so. Throws when it is not ended, or that is not known.
 */
async function signOut(): Promise<void> {
  const end = async () => takingTurns(async () => requestSession('logout'));
  try {
    await end().catch(async (error: unknown) => {
      if (isInDoubt(error)) return end();
      throw error;
    });
  } catch (error) {
    if (!(error instanceof SessionProblem) || !error.isOver) throw error;
  }
  tabs?.postMessage({ kind: 'signed-out' } satisfies Told);
  forget();
}

/** Signs out, and tells in words why whoever asked for it is not signed out, or may not be. */
export function leave(tell: (words: string) => void): void {
  signOut().catch((error: Error) =>
    tell(
      isInDoubt(error)
        ? `You may be signed out or not. ${error.message}`
        : `Not signed out: ${error.message}`,
    ),
  );
}

function forget(): void {
  held = undefined;
  forgetActing();
  sessionState.set('signed-out');
}
