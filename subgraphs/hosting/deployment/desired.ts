import { invalid } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { envRules } from './deployment.inputs.js';
import type { Desired } from './manifest.js';

/** What is wanted of a deployment or a placement; null of what others made, and once it is gone. */
export function desiredOf(
  keyring: Keyring,
  { id, sealedDesired }: { id: string; sealedDesired: string | null },
): Desired | null {
  return sealedDesired === null ? null : (JSON.parse(keyring.open(sealedDesired, id)) as Desired);
}

export interface Wish {
  image?: string | null | undefined;
  replicas?: number | null | undefined;
  env?: Desired['env'] | null | undefined;
  setEnv?: Desired['env'] | null | undefined;
  removeEnv?: readonly string[] | null | undefined;
}

/** What is wanted then; what is left out stays. */
export function changedBy(wish: Wish, was: Desired): Desired {
  return {
    image: wish.image ?? was.image,
    replicas: wish.replicas ?? was.replicas,
    env: wish.env ?? changedEnv(wish, was),
    ports: was.ports,
    ...(was.restartedAt === undefined ? {} : { restartedAt: was.restartedAt }),
  };
}

function changedEnv({ setEnv, removeEnv }: Wish, { env }: Desired): Desired['env'] {
  const kept = Object.entries(env).filter(([name]) => !removeEnv?.includes(name));
  const changed = { ...Object.fromEntries(kept), ...setEnv };
  const fault = envRules.safeParse(changed).error?.issues[0];
  if (fault) throw invalid('input.setEnv', `With those that stay: ${fault.message}`);
  return changed;
}

/** The names alone, for the audit trail. */
export function namesIn({ env, setEnv, removeEnv }: Wish): Record<string, readonly string[]> {
  return {
    ...(env ? { env: Object.keys(env) } : {}),
    ...(setEnv ? { setEnv: Object.keys(setEnv) } : {}),
    ...(removeEnv ? { removeEnv } : {}),
  };
}
