import { parseEnv, settings, type EnvSource } from '#platform/env.js';

/** Fleet's settings. */
export interface FleetEnv {
  /** Seconds between two beats, offered to every node. */
  HEARTBEAT_SECONDS: number;
}

export function fleetEnv(source: EnvSource = process.env): FleetEnv {
  return parseEnv(
    { HEARTBEAT_SECONDS: settings.seconds.max(3_600, 'must be 3600 at most').default(30) },
    source,
  );
}
