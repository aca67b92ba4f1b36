import { pino, type Logger } from 'pino';

/** The part of a pino logger that an agent uses. */
export type AgentLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** What can not be written is kept up to here, for when it can again. */
const keptBytes = 256 * 1024;

/** JSON lines on standard error. No caller passes a token or a credential; the redaction is there for the day one does. */
export function createLogger(level: string): AgentLogger {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: keptBytes });
  // Nobody to read it, or no room for it, is no reason to end.
  destination.on('error', () => undefined);
  return pino(
    { level, redact: { paths: ['token', '*.token', 'credential', '*.credential'], censor: '[redacted]' } },
    destination,
  );
}
