/**
 * In whose name this tab acts: the id of a client's tenant, no secret. It is of the tab, so that another one may stay at
 * home, and lasts while the tab does.
 */
const key = 'quazzar-acting-in';

const answerWithinMs = 20_000;

/** As long as tokens of an acting have to be good for when a request goes out. */
const earlyMs = 30_000;

let held: { token: string; endsAt: number } | undefined;
let asking: Promise<string> | undefined;

export function actingIn(): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Acts in a client's tenant from now on: all that is shown is read anew. */
export function actIn(tenantId: string): void {
  sessionStorage.setItem(key, tenantId);
  location.assign('/');
}

/** Goes home again. */
export function stopActing(): void {
  forgetActing();
  location.assign('/clients');
}

export function forgetActing(): void {
  held = undefined;
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Where nothing is kept there is nothing to forget.
  }
}

interface Answer {
  data?: { actInTenant: { accessToken: string; expiresIn: number } } | null;
  errors?: { message: string }[];
}

const document =
  'mutation ActInTenant($input: ActInTenantInput!) { actInTenant(input: $input) { accessToken expiresIn } }';

/**
 * The token by which the tab acts in the tenant, had with the token of whoever is signed in. All that want it at once ask
 * for one: each is an entry in the trails of both. Where the client grants it no longer the tab goes home.
 */
export async function actingToken(tenantId: string, home: () => Promise<string>): Promise<string> {
  if (held && held.endsAt - earlyMs > Date.now()) return held.token;
  asking ??= ask(tenantId, home).finally(() => (asking = undefined));
  return asking;
}

async function ask(tenantId: string, home: () => Promise<string>): Promise<string> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await home()}` },
    body: JSON.stringify({ query: document, variables: { input: { tenantId } } }),
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const { data } = (await response.json()) as Answer;
  if (!data?.actInTenant) {
    if (response.ok) stopActing();
    throw new Error('This can not be done for the client just now. Try again in a moment.');
  }
  const { accessToken, expiresIn } = data.actInTenant;
  held = { token: accessToken, endsAt: Date.now() + expiresIn * 1000 };
  return accessToken;
}

/** The token that requests go out with just now, if any. */
export const currentActingToken = (): string | undefined => held?.token;

export function refuseActingToken(refused: string): void {
  if (held?.token === refused) held = undefined;
}
