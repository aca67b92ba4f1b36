import { pino, type Logger } from 'pino';

import { loggedError } from './log-errors.js';

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

/** JSON lines on standard error, so that standard output stays for what a command is asked to print. */
export function createLogger(level: string): Logger {
  return pino(
    { level, redact: { paths: redacted, censor: '[redacted]' }, serializers: { err: loggedError } },
    pino.destination({ dest: 2, sync: false }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
