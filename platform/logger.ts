import { pino, type DestinationStream, type Logger } from 'pino';

import { loggedError } from './log-errors.js';
import { repeatedFailures } from './repeated-failures.js';
import { traceFields } from './telemetry/tracing.js';

export type { Logger } from 'pino';

/** Paths never written to the log, whatever a caller passes: secrets travel in these fields. */
const redacted = [
  'authorization',
  'headers.authorization',
  'headers.cookie',
  'password',
  '*.password',
  'token',
  '*.token',
  'credential',
  '*.credential',
  'secret',
  '*.secret',
  'refreshToken',
  '*.refreshToken',
];

/**
 * JSON lines on standard error, so that standard output stays for what a command is asked to print. The same failure
 * again and again is written a few times, and then counted: `repeated` says how often it was left out.
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: false }),
): Logger {
  return pino(
    {
      level,
      redact: { paths: redacted, censor: '[redacted]' },
      serializers: { err: loggedError },
      mixin: traceFields,
      hooks: { logMethod: repeatedFailures() },
    },
    destination,
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
