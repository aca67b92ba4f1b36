import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

/** Fleet's settings. */
export interface FleetEnv {
  /** Seconds between two beats, offered to every node. */
  HEARTBEAT_SECONDS: number;
  /** How many beats may wait to be stored in one process before more are answered 503 with Retry-After. */
  HEARTBEAT_QUEUE: number;
  /** Seconds within which a node has to say that it took a command, before it is handed out again. */
  COMMAND_LEASE_SECONDS: number;
  /** Private addresses that webhooks may go to: subnets, addresses and host names. */
  ALLOW_PRIVATE_TARGETS: readonly string[];
  /** Where alerts are mailed through. */
  SMTP_URL?: string | undefined;
  /** Prints mail to the log when there is no SMTP_URL, one-time links and all. */
  MAIL_LOG: boolean;
  MAIL_FROM: string;
}

export function fleetEnv(source: EnvSource = process.env): FleetEnv {
  return parseEnv(
    {
      HEARTBEAT_SECONDS: settings.seconds.max(3_600, 'must be 3600 at most').default(30),
      HEARTBEAT_QUEUE: z.coerce.number().int().positive().default(5_000),
      COMMAND_LEASE_SECONDS: settings.seconds.default(60),
      ALLOW_PRIVATE_TARGETS: settings.privateTargets,
      SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// address' }).optional(),
      MAIL_LOG: settings.flag.default(false),
      MAIL_FROM: z.string().default('Quazzar Control Panel <no-reply@localhost>'),
    },
    source,
  );
}
